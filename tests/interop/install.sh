#!/usr/bin/env bash
# Installs the clients that run.sh asks, each at the version that the tests were written against:
#
#   cosign3, cosign2   github.com/sigstore/cosign   (both call themselves cosign, so each has a folder of its own)
#   fsck               github.com/transparency-dev/tessera, reads exported tiles
#   sigstore-go        our small programs over that library, in sigstore-go/: one for a bundle, many for a list
#   js3, js4           @sigstore/verify for verify.cjs and many.cjs; version 4 needs a Node 22, which comes as a package
#   python             sigstore-python for ../others, in an environment of its own
#
# Into the cache that tools.sh names, never into the repository; what is there already is skipped. Needs Go, Node, npm and Python 3.10;
# about 5 minutes from empty caches on two cores. Every download is tried three times.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/tools.sh"
cosign3_version=v3.1.3
cosign2_version=v2.6.5
tessera_version=v1.0.4
js3_version=3.1.1
js4_version=4.1.3
node22_version=22.23.3

cosign3() { go_install "$1" "github.com/sigstore/cosign/v3/cmd/cosign@$cosign3_version"; }
cosign2() { go_install "$1" "github.com/sigstore/cosign/v2/cmd/cosign@$cosign2_version"; }
fsck() { go_install "$1" "github.com/transparency-dev/tessera/cmd/fsck@$tessera_version"; }
sigstore_go() {
  three_times go -C "$here/sigstore-go" build -mod=readonly -buildvcs=false -ldflags="-s -w" -o "$1/" . ./many
}
python() {
  python3 -m venv "$1/v" &&
    three_times "$1/v/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$here/../others/requirements.txt"
}
npm_packages() {
  local folder=$1
  shift
  cp "$here/js/package.json" "$folder/" &&
    three_times npm install --prefix "$folder" --no-audit --no-fund --loglevel=error "$@" >/dev/null
}
js3() { npm_packages "$1" "@sigstore/verify@$js3_version" && ln -s "$(command -v node)" "$1/node"; }
# Node 22 comes from the package that holds the binary itself: no install script needs to run.
js4() {
  local machine
  case $(uname -m) in x86_64) machine=x64 ;; aarch64) machine=arm64 ;; *) machine=$(uname -m) ;; esac
  npm_packages "$1" --force "@sigstore/verify@$js4_version" "node-linux-$machine@$node22_version" 2>/dev/null &&
    ln -s "node_modules/node-linux-$machine/bin/node" "$1/node"
}

go_version=$(go env GOVERSION)
sources=$(cat "$here"/sigstore-go/{main.go,many/main.go,go.mod,go.sum} | sha256sum | cut -c1-16)
packages=$(sha256sum <"$here/../others/requirements.txt" | cut -c1-16)
echo "interop clients in $cache"
install cosign3 "$cosign3_version $go_version" cosign3
install cosign2 "$cosign2_version $go_version" cosign2
install fsck "$tessera_version $go_version" fsck
install sigstore-go "$sources $go_version" sigstore_go
install js3 "$js3_version node $(node --version)" js3
install js4 "$js4_version node v$node22_version" js4
install python "$packages $(python3 --version)" python
