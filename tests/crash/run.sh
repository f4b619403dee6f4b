#!/usr/bin/env bash
# Kills airtight, lets its system calls fail and flips bytes of its database, and looks at everything after each.
#
#     tests/crash/run.sh share|all [AIRTIGHT]      # the binary; default: target/release/airtight
#
# `share` is what the gate has time for, with one seed for all time; `all` chooses a seed and prints it, CRASH_SEED repeats
# one (the moments of the kills still depend on the machine). What a surprise left behind stays in the directory that is
# named; exit code 1.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/../tools.sh"
binary "${2:-}"
command -v strace >/dev/null || stop "strace is not installed"

case "${1:-}" in
  share)
    seed=${CRASH_SEED:-1}
    kill=(--kills 40 --pace 2500) inject=() flip=(--rows 3 --offsets 300)
    ;;
  all)
    seed=${CRASH_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
    kill=(--kills 1000 --pace 600) inject=(--reads) flip=(--rows 6 --offsets 300)
    ;;
  *)
    stop "usage: tests/crash/run.sh share|all [AIRTIGHT]"
    ;;
esac

work=$(mktemp -d)
failed=0
for part in kill inject flip; do
  declare -n options=$part
  python3 "$here/$part.py" --airtight "$airtight" --work "$work/$part" --seed "$seed" "${options[@]}" || failed=1
done

if [ $failed -eq 0 ]; then
  rm -rf "$work"
else
  echo "what was left behind is in $work"
fi
exit $failed
