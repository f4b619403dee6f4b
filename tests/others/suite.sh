#!/usr/bin/env bash
# Runs the pytest of sigstore-conformance itself against `airtight conformance`, with the network cut off.
#
#     tests/others/suite.sh [AIRTIGHT]        # the binary; default: target/release/airtight
#
# The suite is that of one commit, taken from $AIRTIGHT_CONFORMANCE_SUITE (a clone of it, bare or not), or else cloned from its
# home; with its packages it goes into $AIRTIGHT_INTEROP_CACHE, never into the repository, and is kept there. Where neither
# gives it, this says so and ends with exit code 2. The public trusted root, which the suite expects a client to have, comes from
# AIRTIGHT_SHARED, and so does a second opinion: the cases there must be those of the suite, file for file.
#
# A program that refuses everything passes 98 of the 140, so the 42 that must be accepted are counted apart. Exit code 1: not all of them passed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/../tools.sh"
binary "${1:-}"
[ -n "${AIRTIGHT_SHARED:-}" ] || stop "AIRTIGHT_SHARED is not set: the public trusted root is there"
. "$here/../interop/tools.sh"
commit=a73de4970176d258e0154c530b89d20b89444e4d
home=https://github.com/sigstore/sigstore-conformance

conformance() {
  local folder=$1 from=${AIRTIGHT_CONFORMANCE_SUITE:-}
  if [ -z "$from" ]; then
    from=$folder/clone
    three_times git clone --quiet --bare "$home" "$from" || return 1
  fi
  mkdir "$folder/suite" && git -C "$from" archive "$commit" | tar -x -C "$folder/suite" &&
    python3 -m venv "$folder/v" &&
    three_times "$folder/v/bin/pip" install --quiet --disable-pip-version-check -r "$folder/suite/requirements.txt"
}
if ! install conformance "$commit $(python3 --version)" conformance; then
  stop "the suite is not to be had here: name a clone of $home with AIRTIGHT_CONFORMANCE_SUITE"
fi
suite=$cache/conformance/suite
diff -r "$suite/test/assets" "$AIRTIGHT_SHARED/vectors/sigstore-conformance/test/assets" >/dev/null ||
  stop "the cases in AIRTIGHT_SHARED are not those of the suite"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
public=$(realpath "$AIRTIGHT_SHARED/vectors/sigstore-public/trusted_root.json")
# The suite passes no trusted root where the client's own is meant, which is the public one; airtight has none built in.
cat >"$work/client" <<END
#!/usr/bin/env bash
case " \$* " in
  *" --trusted-root "*) exec "$airtight" conformance "\$@" ;;
  *) exec "$airtight" conformance "\$@" --trusted-root "$public" ;;
esac
END
chmod +x "$work/client"

failed=0
cd "$suite"
offline env -i HOME="$work" PATH="$PATH" PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 GHA_SIGSTORE_CONFORMANCE_SKIP_CPYTHON_RELEASE_TESTS=true \
  "$cache/conformance/v/bin/python" -m pytest -q -p offline_token -p no:cacheprovider \
  --entrypoint="$work/client" --skip-signing --junitxml="$work/report.xml" test || failed=1
python3 - "$work/report.xml" <<'END' || failed=1
import sys
import xml.etree.ElementTree as tree

cases = [case for case in tree.parse(sys.argv[1]).iter("testcase") if case.get("name").startswith("test_verify[")]
passed = [case.get("name") for case in cases if len(case.findall("*")) == 0]
good = [name for name in passed if "_fail" not in name]
print(f"sigstore-conformance: {len(good)} of 42 accepted, {len(passed) - len(good)} of 98 refused, {len(cases)} cases")
print(f"conformance: {len(passed)} passed, {len(cases) - len(passed)} failed")
sys.exit(0 if (len(good), len(passed), len(cases)) == (42, 140, 140) else 1)
END
exit $failed
