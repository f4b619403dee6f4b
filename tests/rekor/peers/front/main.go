// Command front is what stands before a Rekor v2 that keeps its tiles in a directory: entries go to the server, and what is
// read comes from the directory, under one address, as a deployment has it. The server itself answers 501 to every read.
//
//	front LISTEN UPSTREAM DIR        front 127.0.0.1:13000 http://127.0.0.1:13001 /srv/rekor
//
// A checkpoint is never cached, a tile always may be. A partial tile that was completed stays where it is: the server leaves
// it there.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
)

// More idle connections than any test has clients: one closed early is a reset that nobody asked for.
const idleMax = 1024

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: front LISTEN UPSTREAM DIR")
	}
	upstream, err := url.Parse(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(upstream)
	proxy.Transport = &http.Transport{MaxIdleConns: idleMax, MaxIdleConnsPerHost: idleMax}
	tiles := http.StripPrefix("/api/v2/", http.FileServer(http.Dir(os.Args[3])))
	front := http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		read := request.Method == http.MethodGet || request.Method == http.MethodHead
		switch {
		case read && request.URL.Path == "/api/v2/checkpoint":
			answer.Header().Set("Content-Type", "text/plain; charset=utf-8")
			answer.Header().Set("Cache-Control", "no-cache")
			tiles.ServeHTTP(answer, request)
		case read && strings.HasPrefix(request.URL.Path, "/api/v2/tile/"):
			answer.Header().Set("Content-Type", "application/octet-stream")
			tiles.ServeHTTP(answer, request)
		default:
			proxy.ServeHTTP(answer, request)
		}
	})
	log.Fatal(http.ListenAndServe(os.Args[1], front))
}
