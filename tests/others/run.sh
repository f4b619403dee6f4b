#!/usr/bin/env bash
# Asks airtight, sigstore-go, cosign, sigstore-js and sigstore-python about thousands of bundles that differ from good ones in one
# thing, or in several of a kind, with the network cut off, and explains each disagreement.
#
#     tests/others/run.sh share|all|law [AIRTIGHT]       # the binary; default: target/release/airtight
#
# share: what the gate has time for. all: more of each kind, all that the rooms name, and the table of docs/DIFFERENCES.md is written. law: every mutant
# that there is, put to airtight and sigstore-go alone: nothing may be accepted here that it refuses.
# tests/interop/install.sh has put the clients into $AIRTIGHT_INTEROP_CACHE before. Bundles of other people's making come from
# AIRTIGHT_SHARED. All questions and answers stay in $OTHERS_WORK (default: a temporary folder, removed when nothing
# was a surprise). Exit code 1: a surprise.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/../tools.sh"
what=${1:-}
case $what in
  share) options=(--of-each 1 --of-rooms 4 --check) ;;
  all) options=(--of-each 6 --write) ;;
  law) options=(--only airtight,sigstore-go) ;;
  *) stop "usage: tests/others/run.sh share|all|law [AIRTIGHT]" ;;
esac
binary "${2:-}"
installed tests/interop/install.sh sigstore-go cosign3 js4 python
workplace "${OTHERS_WORK:-}"
cut_off
failed=0

offline "$cache/python/v/bin/python" "$here/compare.py" --airtight "$airtight" --clients "$cache" --work "$work" "${options[@]}" || failed=1
tidy $failed
