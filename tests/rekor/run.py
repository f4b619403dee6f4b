"""What airtight does with real Rekor servers, one scenario after another; run by run.sh, in a network of its own.

    run.py --airtight BINARY --cache CACHE --work DIR [--seed N] [share|all] [SCENARIO…]
    run.py --list

A scenario is a function of this table with what it needs of the command line beside it. It starts its servers, makes its
sites, looks at the logs themselves and stops everything; a surprise ends it and leaves its folder behind. `share` runs them
at the size of the gate, without it they run at full size; where none is named, all do (but
those that measure only at full size). A scenario whose command is not
there yet waits, which is no pass.
"""

import argparse
import random
import sys
import time
import traceback
from pathlib import Path

import anchors
import handover
import memory
import peers
import private
import policies
import uploads
from scene import Run, Surprise
from servers import raise_loopback

PUSH = ("sync target", "sync enable", "sync status", "sync push")
# Name: the function, and the commands of airtight without which it cannot run.
SCENARIOS = {
    "servers": (peers.servers, ()),
    "proxy": (peers.proxy, ()),
    "load": (peers.load, ()),
    "killed_v1": (uploads.killed_v1, PUSH),
    "killed_v2": (uploads.killed_v2, PUSH),
    "ed25519": (uploads.ed25519, PUSH),
    "broken_v1": (uploads.broken_v1, PUSH),
    "broken_v2": (uploads.broken_v2, PUSH),
    "lies": (uploads.lies, PUSH),
    "servers_killed_v1": (uploads.servers_killed_v1, PUSH),
    "servers_killed_v2": (uploads.servers_killed_v2, PUSH),
    "forgetful_v2": (uploads.forgetful_v2, PUSH),
    "disabled": (uploads.disabled, (*PUSH, "sync export", "sync anchor")),
    "courier": (handover.courier, (*PUSH, "sync export", "sync upload", "sync import")),
    "clients": (handover.clients, PUSH),
    "anchor": (anchors.anchor, ("sync target", "sync enable", "sync status", "sync anchor")),
    "policy": (policies.policy, ("policy check",)),
    "private": (private.private, ()),
    "speed": (uploads.speed, PUSH),
    "memory": (memory.memory, (*PUSH, "sync plan", "sync export", "sync upload")),
}

# They measure, and what they measure on a busy machine says nothing.
FULL_ONLY = {"load", "speed", "memory"}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--airtight", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("what", nargs="*")
    options = parser.parse_args()
    if options.list:
        for name, (scenario, _) in SCENARIOS.items():
            print(f"{name:24} {scenario.__doc__.splitlines()[0]}")
        return 0
    share = options.what[:1] == ["share"]
    names = options.what[1:] if options.what[:1] in (["share"], ["all"]) else options.what
    if options.what and not names:
        names = [name for name in SCENARIOS if not (share and name in FULL_ONLY)]
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown or not names:
        parser.error(f"no scenario {' '.join(unknown)}: --list names them")
    raise_loopback()
    print(f"seed {options.seed}", flush=True)
    passed, failed = 0, 0
    for name in names:
        run = Run(options.airtight, options.cache, options.work / name, f"{options.seed} {name}", share)
        good = play(name, run)
        passed, failed = passed + good, failed + (not good)
    print(f"rekor: {passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def play(name: str, run: Run) -> bool:
    scenario, needs = SCENARIOS[name]
    missing = [command for command in needs if not run.has(command)]
    if missing:
        print(f"WAITS    {name}: there is no `airtight {missing[0]}` yet", flush=True)
        return False
    start = time.monotonic()
    try:
        scenario(run)
    except Surprise as surprise:
        print(f"SURPRISE {name}: {surprise}", flush=True)
        return False
    except Exception:
        print(f"SURPRISE {name}: {traceback.format_exc()}", flush=True)
        return False
    finally:
        run.stop()
    print(f"ok       {name} ({time.monotonic() - start:.1f} s)", flush=True)
    return True


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(main())
