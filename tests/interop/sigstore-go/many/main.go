// Command many judges a list of bundles offline with the sigstore-go library, and says yes or no of each.
//
//	many < QUESTIONS > ANSWERS
//
// A question is a line of JSON: paths `bundle`, `root`, `artifact`, and either `key` or `identity` and `issuer`; beside a key
// `hash` where it signs with another than SHA-256: `sha384` or `sha512`, of an Ed25519 key Ed25519ph. The answer
// is a line: `yes`, or `no` and the library's reason after a tab, or `broken` and what kept it from looking. Of a bundle
// with a certificate, a promise of a transparency log, an entry and a proven time are asked, one each; of one with a key, an
// entry. `logs` and `scts` ask for so many entries and promises instead, and `timestamps` for so many time stamps by
// authorities. It opens no socket.
package main

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"
)

type question struct {
	Bundle, Root, Artifact, Key, Hash, Identity, Issuer string
	Logs, Scts                                          *int
	Timestamps                                          int
}

// Returns how many are asked for: one, where nothing else is said.
func wanted(count *int) int {
	if count == nil {
		return 1
	}
	return *count
}

// A trusted root is named by many questions: it is read once.
type believed struct {
	root *root.TrustedRoot
	err  error
}

var roots = map[string]believed{}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	answers := bufio.NewWriter(os.Stdout)
	defer answers.Flush()
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		verdict, reason := judge(asked)
		fmt.Fprintf(answers, "%s\t%s\n", verdict, strings.Join(strings.Fields(reason), " "))
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func judge(asked question) (verdict string, reason string) {
	defer func() {
		if fault := recover(); fault != nil {
			verdict, reason = "broken", fmt.Sprintf("panic: %v", fault)
		}
	}()
	text, err := os.ReadFile(asked.Bundle)
	if err != nil {
		return "broken", err.Error()
	}
	artifact, err := os.ReadFile(asked.Artifact)
	if err != nil {
		return "broken", err.Error()
	}
	found, known := roots[asked.Root]
	if !known {
		rootText, err := os.ReadFile(asked.Root)
		if err != nil {
			return "broken", err.Error()
		}
		found.root, found.err = root.NewTrustedRootFromJSON(rootText)
		roots[asked.Root] = found
	}
	if found.err != nil {
		return "no", "trusted root: " + found.err.Error()
	}

	var material root.TrustedMaterial = found.root
	var asks []verify.VerifierOption
	if logs := wanted(asked.Logs); logs > 0 {
		asks = append(asks, verify.WithTransparencyLog(logs))
	}
	if asked.Timestamps > 0 {
		asks = append(asks, verify.WithSignedTimestamps(asked.Timestamps))
	}
	var who verify.PolicyOption
	if asked.Key != "" {
		key, err := keyMaterial(asked.Key, asked.Hash)
		if err != nil {
			return "broken", err.Error()
		}
		material = root.TrustedMaterialCollection{found.root, key}
		if asked.Timestamps == 0 {
			asks = append(asks, verify.WithNoObserverTimestamps())
		}
		who = verify.WithKey()
	} else {
		if scts := wanted(asked.Scts); scts > 0 {
			asks = append(asks, verify.WithSignedCertificateTimestamps(scts))
		}
		if asked.Timestamps == 0 {
			asks = append(asks, verify.WithObserverTimestamps(1))
		}
		named, err := verify.NewShortCertificateIdentity(asked.Issuer, "", asked.Identity, "")
		if err != nil {
			return "broken", err.Error()
		}
		who = verify.WithCertificateIdentity(named)
	}
	verifier, err := verify.NewVerifier(material, asks...)
	if err != nil {
		return "broken", err.Error()
	}
	var entity bundle.Bundle
	if err := entity.UnmarshalJSON(text); err != nil {
		return "no", "bundle: " + err.Error()
	}
	policy := verify.NewPolicy(verify.WithArtifact(bytes.NewReader(artifact)), who)
	if _, err := verifier.Verify(&entity, policy); err != nil {
		return "no", err.Error()
	}
	return "yes", ""
}

func keyMaterial(path, hash string) (root.TrustedMaterial, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	public, err := cryptoutils.UnmarshalPEMToPublicKey(text)
	if err != nil {
		return nil, err
	}
	// SHA-256 here gives pure Ed25519 for an Ed25519 key, and ECDSA over SHA-256 for a P-256 key.
	function := map[string]crypto.Hash{"": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512}[hash]
	verifier, err := signature.LoadVerifier(public, function)
	if _, isEd25519 := public.(ed25519.PublicKey); isEd25519 && function == crypto.SHA512 {
		verifier, err = signature.LoadVerifierWithOpts(public, options.WithED25519ph(), options.WithHash(function))
	}
	if err != nil {
		return nil, err
	}
	return root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		return root.NewExpiringKey(verifier, time.Time{}, time.Time{}), nil
	}), nil
}
