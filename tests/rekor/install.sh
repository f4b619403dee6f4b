#!/usr/bin/env bash
# Installs the servers that run.sh starts, each at the version that the tests were written against:
#
#   mariadbd, mariadb      packages of the system, with openssl and strace, only when a command is missing
#   trillian               github.com/google/trillian: log server, log signer, and the tables they need (storage.sql)
#   rekor                  github.com/sigstore/rekor: rekor-server and rekor-cli, Rekor v1
#   rekor-tiles            github.com/sigstore/rekor-tiles: posix, Rekor v2 on a directory
#   timestamp-authority    github.com/sigstore/timestamp-authority: RFC 3161 tokens
#   rekor-peers            our own small programs in peers/: load, a bare load generator; front, the read path of Rekor v2
#
# The clients that judge upgraded bundles come with tests/interop/install.sh, which is run first. Everything goes into the
# cache that ../interop/tools.sh names; about 6 minutes from empty caches on two cores. What is not to be had is named, the
# rest is installed all the same, and the exit code is 1.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
trillian_version=v1.7.3
rekor_version=v1.5.4
rekor_tiles_version=v2.3.0
timestamp_version=v2.1.3

"$here/../interop/install.sh" || exit 1
. "$here/../interop/tools.sh"

# need COMMAND PACKAGE: a package of the system, when a command is missing. mariadbd lies where only root's PATH looks.
need() {
  PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null && return 0
  echo "  $2: installing for $1"
  [ -n "${updated:-}" ] || three_times apt-get update -qq
  updated=yes
  DEBIAN_FRONTEND=noninteractive three_times apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

trillian() {
  local module
  go_install "$1" "github.com/google/trillian/cmd/trillian_log_server@$trillian_version" \
    "github.com/google/trillian/cmd/trillian_log_signer@$trillian_version" &&
    module=$(cd / && GOFLAGS=-mod=mod go mod download -json "github.com/google/trillian@$trillian_version" |
      sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p') &&
    cp "$module/storage/mysql/schema/storage.sql" "$1/storage.sql" && chmod 0644 "$1/storage.sql"
}
rekor() {
  go_install "$1" "github.com/sigstore/rekor/cmd/rekor-server@$rekor_version" "github.com/sigstore/rekor/cmd/rekor-cli@$rekor_version"
}
rekor_tiles() { go_install "$1" "github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix@$rekor_tiles_version"; }
timestamp_authority() { go_install "$1" "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server@$timestamp_version"; }
rekor_peers() { nice go -C "$here/peers" build -p 2 -mod=readonly -buildvcs=false -ldflags="-s -w" -o "$1/" ./load ./front; }

missing=()
go_version=$(go env GOVERSION)
sources=$(cat "$here"/peers/{go.mod,load/main.go,front/main.go} | sha256sum | cut -c1-16)
echo "Rekor servers in $cache"
need mariadbd mariadb-server-core || missing+=(mariadb-server-core)
need mariadb mariadb-client-core || missing+=(mariadb-client-core)
need openssl openssl || missing+=(openssl)
need strace strace || missing+=(strace)
install trillian "$trillian_version $go_version" trillian || missing+=(trillian)
install rekor "$rekor_version $go_version" rekor || missing+=(rekor)
install rekor-tiles "$rekor_tiles_version $go_version" rekor_tiles || missing+=(rekor-tiles)
install timestamp-authority "$timestamp_version $go_version" timestamp_authority || missing+=(timestamp-authority)
install rekor-peers "$sources $go_version" rekor_peers || missing+=(rekor-peers)
[ ${#missing[@]} -eq 0 ] || { echo "not to be had: ${missing[*]}" >&2; exit 1; }
