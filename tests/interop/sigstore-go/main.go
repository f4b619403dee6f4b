// Command sigstore-go verifies one key-signed bundle offline with the sigstore-go library, and says nothing but yes or no.
//
//	sigstore-go BUNDLE KEY.pub TRUSTED_ROOT ARTIFACT
//
// Exit code 0: verified. 1: refused, with the library's reason on stderr. 2: usage, or an input that cannot be read, so
// that a missing file is never taken for a refusal. The log is asked for (threshold 1); no timestamp is, since the bundle
// of a plain key needs none. It opens no socket: the trusted root is the file that is named.
package main

import (
	"crypto"
	"fmt"
	"os"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

func main() {
	if len(os.Args) != 5 {
		fail(2, fmt.Errorf("usage: sigstore-go BUNDLE KEY.pub TRUSTED_ROOT ARTIFACT"))
	}
	bundleText, keyText := read(os.Args[1]), read(os.Args[2])
	rootText, artifact := read(os.Args[3]), open(os.Args[4])

	public, err := cryptoutils.UnmarshalPEMToPublicKey(keyText)
	if err != nil {
		fail(2, err)
	}
	// SHA-256 here gives pure Ed25519 for an Ed25519 key, and ECDSA over SHA-256 for a P-256 key.
	verifier, err := signature.LoadVerifier(public, crypto.SHA256)
	if err != nil {
		fail(2, err)
	}
	trustedRoot, err := root.NewTrustedRootFromJSON(rootText)
	if err != nil {
		fail(1, err)
	}
	key := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		return root.NewExpiringKey(verifier, time.Time{}, time.Time{}), nil
	})
	judge, err := verify.NewVerifier(
		root.TrustedMaterialCollection{trustedRoot, key},
		verify.WithTransparencyLog(1), verify.WithNoObserverTimestamps())
	if err != nil {
		fail(2, err)
	}
	var entity bundle.Bundle
	if err := entity.UnmarshalJSON(bundleText); err != nil {
		fail(1, err)
	}
	if _, err := judge.Verify(&entity, verify.NewPolicy(verify.WithArtifact(artifact), verify.WithKey())); err != nil {
		fail(1, err)
	}
	fmt.Fprintln(os.Stderr, "verified")
}

func read(path string) []byte {
	content, err := os.ReadFile(path)
	if err != nil {
		fail(2, err)
	}
	return content
}

func open(path string) *os.File {
	file, err := os.Open(path)
	if err != nil {
		fail(2, err)
	}
	return file
}

func fail(code int, err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(code)
}
