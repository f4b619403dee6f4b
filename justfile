# The commands of this repository. `just ci` is the whole gate, here and where changes are landed.
#
# Stages run one after another and all of them run, so that one run tells everything; each prints how long it took. None
# asserts a time. Settings: CARGO_TARGET_DIR as cargo has it; AIRTIGHT_SHARED, a folder with more vectors than the
# repository carries (tests that read it pass over it, and say so, when it is not set).

set shell := ["bash", "-euo", "pipefail", "-c"]

target := env("CARGO_TARGET_DIR", justfile_directory() / "target")
airtight := target / "release" / "airtight"
host := arch() + "-unknown-linux-gnu"
static := target / "static" / host / "release" / "airtight"

# Lists the commands.
default:
    @just --list --unsorted

# The whole gate.
ci:
    @.ci/stages lint test docs features oracles release interop rekor-share crash-share

# Formatting, clippy with every warning an error, shell and Python syntax.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    if [ -d oracles ]; then cargo fmt --manifest-path oracles/Cargo.toml --check; fi
    cargo fmt --manifest-path fuzz/Cargo.toml --check
    for script in .ci/run .ci/stages .ci/weigh tests/*.sh tests/interop/*.sh tests/crash/*.sh tests/others/*.sh tests/rekor/*.sh; do bash -n "$script"; done
    python3 -c 'import ast, pathlib; [ast.parse(p.read_text()) for p in pathlib.Path("tests").rglob("*.py")]'

# The tests, as the README has them: no network, nothing outside the repository.
test:
    cargo test --workspace --locked

# The documentation builds without a warning.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# Each feature can be left out.
features:
    cargo clippy --locked -p airtight-keys -p airtight-log --no-default-features -- -D warnings
    cargo clippy --locked --no-default-features -- -D warnings
    cargo clippy --locked --no-default-features --features site -- -D warnings
    cargo clippy --locked --no-default-features --features net -- -D warnings
    cargo clippy --locked --no-default-features --features server -- -D warnings
    cargo test --locked --no-default-features --lib --bins --test verify_only --test vectors --test conformance
    cargo test --locked --no-default-features --features site --test sealed

# Vectors: writes ours and the fuzzers' seeds again, which must change nothing, and judges ours and those of AIRTIGHT_SHARED.
vectors:
    cargo run --quiet --locked --example vectors
    git status --short tests/vectors fuzz/corpus
    test -z "$(git status --porcelain tests/vectors fuzz/corpus)"
    cargo test --workspace --locked vector

# Every signature vector of Wycheproof that a kind of key is made for, P-384, P-521 and RSA too. Downloads them once.
signatures:
    #!/usr/bin/env bash
    set -euo pipefail
    vectors={{ target }}/wycheproof
    if [ ! -d "$vectors" ]; then git clone --quiet --filter=blob:none --no-checkout https://github.com/C2SP/wycheproof "$vectors"; fi
    git -C "$vectors" checkout --quiet dac1dd4729fd1f8dd9e1e9f3dce51d783da6c166
    AIRTIGHT_WYCHEPROOF=$vectors cargo test --locked -p airtight-keys --test wycheproof --test wycheproof_others -- --nocapture

# Other people's implementations as oracles; a package of its own, with its own lock file.
oracles:
    cargo test --manifest-path oracles/Cargo.toml --locked

# A binary that only verifies, and what it weighs beside a full one: size, crates, a start, a verdict.
verify-only: release
    cargo build --release --locked --no-default-features --target-dir {{ target }}/verify-only
    .ci/weigh {{ target }}/verify-only/release/airtight {{ airtight }}

# The binary as it is handed out.
release:
    cargo build --release --locked
    ls -l {{ airtight }}

# Other people's clients judge our bundles and tiles, offline. Downloads them once.
interop: release
    tests/interop/install.sh
    tests/interop/run.sh {{ airtight }}

# Some thousand mutated bundles, put to four clients of others as well; writes the table of docs/DIFFERENCES.md.
others: release
    tests/interop/install.sh
    tests/others/run.sh all {{ airtight }}

# The pytest of sigstore-conformance itself: AIRTIGHT_CONFORMANCE_SUITE names a clone of it, AIRTIGHT_SHARED the public trusted root.
suite: release
    tests/others/suite.sh {{ airtight }}

# SIGKILL at 1,000 moments, every system call failed once, bytes flipped everywhere; each followed by a look at everything.
crash: release
    tests/crash/run.sh all {{ airtight }}

# The share of `crash` that the gate has time for.
crash-share: release
    tests/crash/run.sh share {{ airtight }}

# Real Rekor servers on loopback: uploads killed, servers killed, answers that lie. Downloads the servers once; half an hour.
rekor: release
    tests/rekor/install.sh
    tests/rekor/run.sh all {{ airtight }}

# The share of `rekor` that the gate has time for.
rekor-share: release
    tests/rekor/install.sh
    tests/rekor/run.sh share {{ airtight }}

# Fuzzes TARGET for SECONDS: needs a nightly toolchain and `cargo install cargo-fuzz`. What it finds goes to fuzz/found, what breaks a law to fuzz/artifacts.
fuzz TARGET="all" SECONDS="60":
    #!/usr/bin/env bash
    set -euo pipefail
    targets={{ TARGET }}
    # SQLite's C is compiled with another compiler's sanitizer, which takes its own tables for doubled ones.
    export ASAN_OPTIONS=detect_odr_violation=0
    if [ "$targets" = all ]; then targets=$(cargo +nightly fuzz list); fi
    for target in $targets; do
        mkdir -p "fuzz/found/$target"
        cargo +nightly fuzz run "$target" "fuzz/found/$target" "fuzz/corpus/$target" -- -max_total_time={{ SECONDS }}
    done

# Writes the table of docs/PERFORMANCE.md: all rows, or those that are named (G1, G5, …).
bench *ROWS: static
    AIRTIGHT_STATIC={{ static }} cargo bench --locked --bench goals -- {{ ROWS }}

# The rows that need a log of ten million entries, by hand: 18 GB of disk, of which the raw log takes 14.
bench-large: static
    AIRTIGHT_STATIC={{ static }} cargo bench --locked --bench goals -- large

# A statically linked binary for the target of this machine (glibc, for no musl target need be installed).
static:
    RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --target {{ host }} --target-dir {{ target }}/static
