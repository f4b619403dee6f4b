// Command load posts prepared entries to a Rekor as fast as it takes them, and does nothing else: what `airtight sync push`
// is measured beside.
//
//	load --api 1|2 --url URL --entries N --parallel P [--payload BYTES] [--seed S]
//
// Every request is signed and written out before the clock starts: v1 gets dsse 0.0.1, v2 hashedrekord 0.0.2, each over an
// in-toto statement of its own, under one P-256 key. The answers are read to their ends and thrown away. On standard output
// one line of JSON: {"api","entries","parallel","seconds","perSecond","statuses":{"201":N},"failed","p50Ms","p99Ms"};
// exit code 1 when one answer was not 201.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const payloadType = "application/vnd.in-toto+json"

// The longest a Rekor was seen to take, with room.
const timeout = 120 * time.Second

func main() {
	api := flag.Int("api", 1, "1 for Rekor v1, 2 for Rekor v2")
	url := flag.String("url", "", "address of the server, without /api")
	entries := flag.Int("entries", 1000, "how many are posted, each once")
	parallel := flag.Int("parallel", 16, "how many at a time")
	payload := flag.Int("payload", 400, "about how many bytes a statement has")
	seed := flag.String("seed", strconv.FormatInt(time.Now().UnixNano(), 36), "names the statements: the same seed, the same ones")
	flag.Parse()
	if *url == "" || *api < 1 || *api > 2 || *entries < 1 || *parallel < 1 {
		flag.Usage()
		os.Exit(2)
	}
	requests := prepare(*api, *entries, *payload, *seed)

	client := &http.Client{
		Timeout:   timeout,
		Transport: &http.Transport{MaxIdleConns: *parallel, MaxIdleConnsPerHost: *parallel},
	}
	address := fmt.Sprintf("%s/api/v%d/log/entries", strings.TrimSuffix(*url, "/"), *api)
	statuses, took := make([]int, *entries), make([]time.Duration, *entries)
	var next atomic.Int64
	var workers sync.WaitGroup
	start := time.Now()
	for range *parallel {
		workers.Go(func() {
			for at := next.Add(1) - 1; at < int64(*entries); at = next.Add(1) - 1 {
				sent := time.Now()
				statuses[at] = post(client, address, requests[at])
				took[at] = time.Since(sent)
			}
		})
	}
	workers.Wait()
	seconds := time.Since(start).Seconds()
	report(*api, *parallel, seconds, statuses, took)
}

// post gives the status of the answer, 0 where none came.
func post(client *http.Client, address string, body []byte) int {
	answer, err := client.Post(address, "application/json", bytes.NewReader(body))
	if err != nil {
		log.Print(err)
		return 0
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0
	}
	return answer.StatusCode
}

func report(api, parallel int, seconds float64, statuses []int, took []time.Duration) {
	counted := map[string]int{}
	for _, status := range statuses {
		counted[strconv.Itoa(status)]++
	}
	slices.Sort(took)
	milliseconds := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))].Microseconds()) / 1000
	}
	failed := len(statuses) - counted["201"]
	line, err := json.Marshal(map[string]any{
		"api": api, "entries": len(statuses), "parallel": parallel, "seconds": seconds,
		"perSecond": float64(len(statuses)) / seconds, "statuses": counted, "failed": failed,
		"p50Ms": milliseconds(0.50), "p99Ms": milliseconds(0.99),
	})
	check(err)
	fmt.Println(string(line))
	if failed != 0 {
		os.Exit(1)
	}
}

func prepare(api, entries, payload int, seed string) [][]byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	check(err)
	requests := make([][]byte, entries)
	for number := range requests {
		statement := statement(seed, number, payload)
		pae := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(statement), statement)
		digest := sha256.Sum256(pae)
		signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		check(err)
		if api == 1 {
			requests[number] = dsse(statement, signature, spki)
		} else {
			requests[number] = hashedRekord(digest[:], signature, spki)
		}
	}
	return requests
}

func statement(seed string, number, payload int) []byte {
	name := fmt.Sprintf("load-%s-%d", seed, number)
	digest := sha256.Sum256([]byte(name))
	text := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"%s","digest":{"sha256":"%s"}}],`+
		`"predicateType":"https://example.com/load/v1","predicate":{"filling":"`, name, hex.EncodeToString(digest[:]))
	return []byte(text + strings.Repeat("x", max(0, payload-len(text)-3)) + `"}}`)
}

func dsse(statement, signature, spki []byte) []byte {
	envelope := encode(map[string]any{
		"payload": statement, "payloadType": payloadType, "signatures": []any{map[string]any{"sig": signature}},
	})
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
	content := map[string]any{"envelope": string(envelope), "verifiers": []string{base64.StdEncoding.EncodeToString(public)}}
	return encode(map[string]any{"apiVersion": "0.0.1", "kind": "dsse", "spec": map[string]any{"proposedContent": content}})
}

func hashedRekord(digest, signature, spki []byte) []byte {
	verifier := map[string]any{"publicKey": map[string]any{"rawBytes": spki}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
	return encode(map[string]any{"hashedRekordRequestV002": map[string]any{
		"digest": digest, "signature": map[string]any{"content": signature, "verifier": verifier},
	}})
}

// encode gives JSON, in which []byte is standard base64.
func encode(value any) []byte {
	text, err := json.Marshal(value)
	check(err)
	return text
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
