#!/usr/bin/env bash
# Asks airtight, sigstore-go, cosign, sigstore-js and sigstore-python about thousands of bundles that differ from good ones in one
# thing, with the network cut off, and explains each disagreement.
#
#     tests/others/run.sh share|all|law [AIRTIGHT]       # the binary; default: target/release/airtight
#
# share: what the gate has time for. all: more of each kind, and the table of docs/DIFFERENCES.md is written. law: every mutant
# that there is, put to airtight and sigstore-go alone: nothing may be accepted here that it refuses.
# tests/interop/install.sh has put the clients into $AIRTIGHT_INTEROP_CACHE before. Bundles of other people's making come from
# AIRTIGHT_SHARED. All questions and answers stay in $OTHERS_WORK (default: a temporary folder, removed when nothing
# was a surprise). Exit code 1: a surprise.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
what=${1:-}
airtight=$(realpath "${2:-${CARGO_TARGET_DIR:-$root/target}/release/airtight}")
cache=${AIRTIGHT_INTEROP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/airtight-interop}
case $what in
  share) options=(--of-each 1 --check) ;;
  all) options=(--of-each 6 --write) ;;
  law) options=(--only airtight,sigstore-go) ;;
  *) echo "usage: tests/others/run.sh share|all|law [AIRTIGHT]" >&2; exit 2 ;;
esac
[ -x "$airtight" ] || { echo "no binary at $airtight: cargo build --release --locked" >&2; exit 2; }
for tool in sigstore-go cosign3 js4 python; do
  [ -e "$cache/stamps/$tool" ] || { echo "$tool is not installed: tests/interop/install.sh" >&2; exit 2; }
done

keep=${OTHERS_WORK:-}
if [ -n "$keep" ]; then
  mkdir -p "$keep"
  [ -z "$(ls -A "$keep")" ] || { echo "$keep is not empty" >&2; exit 2; }
fi
work=$(realpath "${keep:-$(mktemp -d)}")
failed=0
export PYTHONDONTWRITEBYTECODE=1

offline() { unshare -rn -- "$@"; }
networks=$(offline sed -n 's/^ *\([^ :]*\):.*/\1/p' /proc/net/dev | tr '\n' ' ')
[ "$networks" = "lo " ] || { echo "the network is not cut off: $networks" >&2; exit 2; }

offline "$cache/python/v/bin/python" "$here/compare.py" --airtight "$airtight" --clients "$cache" --work "$work" "${options[@]}" || failed=1

if [ $failed -eq 0 ] && [ -z "$keep" ]; then
  rm -rf "$work"
else
  echo "everything that was asked and answered is in $work"
fi
exit $failed
