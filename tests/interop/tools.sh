# Sourced by the install scripts of the tests: where other people's programs lie, and how one is put there.
#
# The cache is $AIRTIGHT_INTEROP_CACHE (default: ${XDG_CACHE_HOME:-$HOME/.cache}/airtight-interop), never the repository: a
# folder for each program, and beside them a stamp with all that decided its bytes, so that what is there is skipped.

. "$(dirname "${BASH_SOURCE[0]}")/../tools.sh"
mkdir -p "$cache/stamps"
export GOTOOLCHAIN=local CGO_ENABLED=0

three_times() {
  local try
  for try in 1 2 3; do
    "$@" && return 0
    echo "  try $try of 3 failed: $*" >&2
    sleep $((try * 5))
  done
  return 1
}

# install NAME STAMP FUNCTION: runs FUNCTION with the folder of NAME, unless NAME was installed under this very STAMP. What
# FUNCTION returns counts, and nothing else does: it runs where `set -e` is off.
install() {
  local name=$1 stamp=$2 start=$SECONDS
  if [ "$(cat "$cache/stamps/$name" 2>/dev/null)" = "$stamp" ]; then
    echo "  $name: there ($stamp)"
    return
  fi
  rm -rf "${cache:?}/$name" "$cache/stamps/$name"
  mkdir -p "$cache/$name"
  if ! "$3" "$cache/$name"; then
    echo "  $name: NOT installed ($stamp)" >&2
    return 1
  fi
  printf '%s' "$stamp" >"$cache/stamps/$name"
  echo "  $name: installed in $((SECONDS - start)) s ($stamp)"
}

# go_install FOLDER PACKAGE@VERSION…: builds each into FOLDER, stripped, and leaves a core to whoever else is at work.
go_install() {
  local folder=$1 package
  shift
  for package in "$@"; do
    GOBIN=$folder three_times nice go install -p 2 -ldflags="-s -w" "$package" || return 1
  done
}
