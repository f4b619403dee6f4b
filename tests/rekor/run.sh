#!/usr/bin/env bash
# Starts real Rekor servers on loopback and lets airtight send to them, while uploads, servers and answers are broken.
#
#     tests/rekor/run.sh share|all [SCENARIO…] [AIRTIGHT]      # the binary; default: target/release/airtight
#
# `share` is the size that the gate has time for, `all` the full one; `python3 tests/rekor/run.py --list` names the
# scenarios. install.sh has put the servers and clients into $AIRTIGHT_INTEROP_CACHE before. REKOR_SEED repeats a run as far
# as a machine can. Everything that was written stays in $REKOR_WORK (default: a temporary folder, removed when nothing was a
# surprise). Exit code 1: a surprise.
#
# All of it runs in a network of its own with nothing but loopback, and in a process namespace that takes every server with
# it when it ends.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/../tools.sh"
airtight=
what=()
for word in "$@"; do
  if [[ $word == */* ]]; then airtight=$word; else what+=("$word"); fi
done
[ ${#what[@]} -gt 0 ] || stop "usage: tests/rekor/run.sh share|all [SCENARIO…] [AIRTIGHT]"
binary "$airtight"
installed tests/rekor/install.sh trillian rekor rekor-tiles rekor-peers timestamp-authority cosign3 cosign2 sigstore-go js3 js4 python
workplace "${REKOR_WORK:-}"
# The gate draws the same moments and faults each time.
if [ "${what[0]}" = share ]; then REKOR_SEED=${REKOR_SEED:-1}; fi
failed=0

unshare -rn --pid --fork --kill-child --mount-proc -- python3 "$here/run.py" --airtight "$airtight" --cache "$cache" --work "$work" \
  ${REKOR_SEED:+--seed "$REKOR_SEED"} "${what[@]}" || failed=1

tidy $failed
