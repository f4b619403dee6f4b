#!/usr/bin/env bash
# Asks clients that know nothing of airtight to judge its bundles, its keys and its tiles, with the network cut off.
#
#     tests/interop/run.sh [AIRTIGHT]        # the binary; default: target/release/airtight
#
# install.sh has put the clients into $AIRTIGHT_INTEROP_CACHE before. All questions and answers stay in
# $AIRTIGHT_INTEROP_WORK (default: a temporary folder, removed when nothing was a surprise). Exit code 1: a surprise.
#
# The network is cut off by a network namespace of its own, for airtight as for the clients; that it is, is looked at first.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/../tools.sh"
binary "${1:-}"
installed tests/interop/install.sh cosign3 cosign2 fsck sigstore-go js3 js4 python

# sigstore-rust is a package of the registry, so it comes with the other oracles and their lock file.
cargo build --quiet --manifest-path "$root/oracles/Cargo.toml" --locked --example sigstore_rust
rust=${CARGO_TARGET_DIR:-$root/oracles/target}/debug/examples/sigstore_rust

workplace "${AIRTIGHT_INTEROP_WORK:-}"
cut_off
failed=0
echo "offline: the only network device is lo, and it is down"

offline python3 "$here/run.py" --airtight "$airtight" --clients "$cache" --rust "$rust" --work "$work" || failed=1
offline python3 "$here/keys.py" --airtight "$airtight" --clients "$cache" --work "$work" || failed=1
offline python3 "$here/vectors.py" --airtight "$airtight" --clients "$cache" --work "$work" || failed=1
offline python3 "$here/tiles.py" --airtight "$airtight" --clients "$cache" --work "$work" || failed=1
offline python3 "$here/docs.py" --airtight "$airtight" --clients "$cache" --work "$work" || failed=1

OTHERS_WORK=$work/others "$here/../others/run.sh" share "$airtight" || failed=1

tidy $failed
