"""Moves keys between airtight, OpenSSL and cosign, both ways; run by run.sh, with no network.

    keys.py --airtight BINARY --clients CACHE --work DIR

A key has moved when both programs name the same public key. Nothing is compared but that: what a key signs is asked in
run.py. Passphrases go through files and the environment, as a script would hand them over.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

PASSPHRASE = "correct horse battery staple"
OTHER_PASSPHRASE = "another one"


class Keys:
    def __init__(self, airtight: Path, cosign: Path, work: Path):
        self.airtight, self.cosign, self.work = airtight, cosign, work
        self.home = work / "site"
        self.passed = self.failed = 0
        work.mkdir(parents=True)
        self.passphrase = work / "passphrase"
        self.passphrase.write_text(PASSPHRASE + "\n")
        self.env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "COSIGN_PASSWORD": PASSPHRASE}

    def call(self, *words: object) -> bytes:
        done = subprocess.run(
            list(map(str, words)), env=self.env, cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: exit code {done.returncode}: {done.stderr.decode().strip()}")
        return done.stdout

    def ours(self, *words: object) -> bytes:
        return self.call(self.airtight, "--home", self.home, "--passphrase-file", self.passphrase, *words)

    def public(self, name: str) -> bytes:
        return self.ours("key", "export", "--public", name)

    def same(self, what: str, left, right) -> None:
        """Both sides are made late, so that a program that refuses is one failed line and not the end."""
        try:
            agree, said = left() == right(), "the public keys differ"
        except RuntimeError as error:
            agree, said = False, str(error)
        self.passed, self.failed = self.passed + agree, self.failed + (not agree)
        print(f"{what:64}  {'yes' if agree else 'no!'}")
        if not agree:
            print(f"SURPRISE {what}: {said}")

    def from_openssl(self, algorithm: str, name: str, *make: object) -> None:
        """A private key as OpenSSL writes it, read by airtight."""
        path = self.work / f"{name}.pem"
        path.write_bytes(self.call("openssl", *make))

        def public() -> bytes:
            self.ours("key", "import", path, "--name", name)
            return self.public(name)

        theirs = ["openssl", "pkey", "-in", path, "-pubout", "-passin", f"file:{self.passphrase}"]
        self.same(f"airtight reads OpenSSL's {algorithm}", public, lambda: self.call(*theirs))

    def to_openssl(self, algorithm: str, name: str, *options: str) -> None:
        """A private key as airtight writes it, read by OpenSSL."""
        self.ours("key", "generate", name, "--algorithm", algorithm, *options)
        path = self.home / "keys" / f"{name}.key"
        theirs = ["openssl", "pkey", "-in", path, "-pubout", "-passin", f"file:{self.passphrase}"]
        how = "plain" if options else "encrypted"
        self.same(f"OpenSSL reads airtight's {algorithm}, {how}", lambda: self.call(*theirs), lambda: self.public(name))

    def from_cosign(self, name: str) -> None:
        self.call(self.cosign, "generate-key-pair", "--output-key-prefix", name)

        def public() -> bytes:
            self.ours("key", "import", self.work / f"{name}.key", "--name", name)
            return self.public(name)

        self.same("airtight reads cosign's key", public, (self.work / f"{name}.pub").read_bytes)

    def to_cosign(self, name: str) -> None:
        def public() -> bytes:
            path = self.work / f"{name}-exported.key"
            path.write_bytes(self.ours("key", "export", "--cosign", name))
            path.chmod(0o600)
            return self.call(self.cosign, "public-key", "--key", path)

        self.same(f"cosign reads airtight's key `{name}`", public, lambda: self.public(name))

    def refuses(self, what: str, code: str, *words: object) -> None:
        """A failure that says this code, and not another one."""
        try:
            self.ours("--json", *words)
            refused, said = False, "it was taken"
        except RuntimeError as error:
            refused, said = f'"{code}"' in str(error), str(error)
        self.passed, self.failed = self.passed + refused, self.failed + (not refused)
        print(f"{what:64}  {'no' if refused else 'yes!'}")
        if not refused:
            print(f"SURPRISE {what}: {said}")


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("airtight", "clients", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    work = options.work.resolve() / "keys"
    keys = Keys(options.airtight.resolve(), options.clients.resolve() / "cosign3" / "cosign", work)
    keys.ours("init", "--origin", "keys.example")
    print(f"\n{'private keys of one program, read by the other':64}  same key")
    p256 = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    secret = ("-aes256", "-pass", f"file:{keys.passphrase}")
    keys.from_openssl("P-256, PKCS#8", "ossl-p256", "genpkey", *p256)
    keys.from_openssl("P-256, SEC1", "ossl-sec1", "ecparam", "-name", "prime256v1", "-genkey", "-noout")
    keys.from_openssl("P-256, PKCS#8, encrypted", "ossl-p256-enc", "genpkey", *p256, *secret)
    keys.from_openssl("Ed25519, PKCS#8", "ossl-ed", "genpkey", "-algorithm", "ed25519")
    keys.from_openssl("Ed25519, PKCS#8, encrypted", "ossl-ed-enc", "genpkey", "-algorithm", "ed25519", *secret)
    for algorithm in ("p256", "ed25519"):
        keys.to_openssl(algorithm, f"{algorithm}-plain", "--no-passphrase")
        keys.to_openssl(algorithm, f"{algorithm}-encrypted")
    keys.from_cosign("cosign-made")
    keys.to_cosign("cosign-made")
    keys.to_cosign("p256-encrypted")
    keys.to_cosign("ed25519-encrypted")
    wrong = work / "wrong-passphrase"
    wrong.write_text(OTHER_PASSPHRASE + "\n")
    for name in ("ossl-p256-enc.pem", "cosign-made.key"):
        words = ("key", "import", work / name, "--name", "never", "--import-passphrase-file", wrong)
        keys.refuses(f"airtight reads {name} under another passphrase", "passphrase_wrong", *words)
    print(f"\nkeys: {keys.passed} passed, {keys.failed} failed")
    return 1 if keys.failed else 0


if __name__ == "__main__":
    sys.exit(main())
