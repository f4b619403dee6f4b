# Sourced by the scripts that put our binary to the programs of others: what they need, where they work, and that no network is there.

cache=${AIRTIGHT_INTEROP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/airtight-interop}
export PYTHONDONTWRITEBYTECODE=1

# stop WORDS…: says why nothing was run.
stop() {
  echo "$*" >&2
  exit 2
}

# binary [PATH]: sets `airtight`; the default is the release binary that cargo has built.
binary() {
  airtight=$(realpath -m "${1:-${CARGO_TARGET_DIR:-$root/target}/release/airtight}")
  [ -x "$airtight" ] || stop "no binary at $airtight: cargo build --release --locked"
}

# installed SCRIPT NAME…: each program is in the cache, where SCRIPT puts it.
installed() {
  local script=$1 name
  shift
  for name in "$@"; do
    [ -e "$cache/stamps/$name" ] || stop "$name is not installed: $script"
  done
}

# workplace [DIR]: sets `work`, an empty folder, and `keep`: DIR, which stays, or nothing for a temporary one.
workplace() {
  keep=${1:-}
  if [ -n "$keep" ]; then
    mkdir -p "$keep"
    [ -z "$(ls -A "$keep")" ] || stop "$keep is not empty"
  fi
  work=$(realpath "${keep:-$(mktemp -d)}")
}

offline() { unshare -rn -- "$@"; }

# Looks whether the network namespace of `offline` really has nothing but lo.
cut_off() {
  local networks
  networks=$(offline sed -n 's/^ *\([^ :]*\):.*/\1/p' /proc/net/dev | tr '\n' ' ')
  [ "$networks" = "lo " ] || stop "the network is not cut off: $networks"
}

# tidy FAILED: removes the workplace of a run without a surprise, and ends.
tidy() {
  if [ "$1" -eq 0 ] && [ -z "$keep" ]; then
    rm -rf "$work"
  else
    echo "everything that was asked and answered is in $work"
  fi
  exit "$1"
}
