"""How much memory the work takes as more entries wait: it must not grow with them.

A peak is what the kernel counts; of an upload, VmHWM as it stands once the log has taken so many, and then it is SIGKILLed:
whether a million more wait is seen by then.
"""

import subprocess
import sys
import time
from pathlib import Path

from scene import TIMEOUT_S, Run, expect, note
from sites import TARGET, Site
from uploads import LOOK_EVERY_S, PARALLEL, size_of

# What a peak at the most entries may have beyond the peak at the fewest, in MiB. The database keeps up to 16 of its pages.
ROOM_MIB = 20
# Entries that the log has taken of an upload before its peak is read.
TAKEN = 500


def memory(run: Run) -> None:
    """The peak of `sync upload` and of what leads to it does not grow with the entries that wait, from 10^3 to 10^6."""
    few, many = (peaks(run, count) for count in (1_000, run.size(1_000_000, 10_000)))
    for command, (least, _) in few.items():
        most, took_s = many[command]
        took = "" if took_s is None else f", {1000 * took_s:.0f} ms with the most waiting"
        note(f"{command:14} {least:6.1f} MiB, {most:6.1f} MiB{took}")
        expect(most <= least + ROOM_MIB, f"{command}: a peak of {most:.1f} MiB where {least:.1f} were, and more wait")


def peaks(run: Run, count: int) -> dict[str, tuple[float, float | None]]:
    """The peaks in MiB with so many entries waiting, and the seconds of each command that runs to its end."""
    rekor, site = run.rekor(2, f"rekor-{count}"), Site(run, f"site-{count}")
    site.attest(count)
    site.add_target(rekor)
    site.enable()
    pack, receipts = site.folder / "pack", site.folder / "receipts"
    found = {
        "sync status": peak(site, "sync", "status"),
        "sync plan": peak(site, "sync", "plan", "--target", TARGET),
        "sync export": peak(site, "sync", "export", "--target", TARGET, "--out", pack),
    }
    words = site.command("sync", "upload", pack, "--out", receipts, "--parallel", PARALLEL[2], "--budget", "none")
    before = size_of(rekor)
    with (site.folder / "upload.txt").open("wb") as said:
        upload = subprocess.Popen(words, stdout=said, stderr=said, env=site.env())
    while upload.poll() is None and size_of(rekor) < before + TAKEN:
        time.sleep(LOOK_EVERY_S)
    expect(upload.poll() is None, f"sync upload was done before it was looked at: exit {upload.returncode}")
    status = Path(f"/proc/{upload.pid}/status").read_text(encoding="ascii")
    high = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    found["sync upload"] = high / 1024, None
    upload.kill()
    upload.wait()
    rekor.stop()
    return found


# A process begins with the peak of whoever started it: so somebody small does. What it cannot see is below its own 8 MiB.
SMALL = """
import resource, subprocess, sys, time
began = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, time.monotonic() - began)
sys.exit(done.returncode)
"""


def peak(site: Site, *words: object) -> tuple[float, float]:
    """The peak in MiB of a command that must end well, and how long it took in seconds: told, never asserted."""
    words = site.command(*words)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", SMALL, *words], capture_output=True, check=False, timeout=TIMEOUT_S, env=site.env()
    )
    expect(done.returncode == 0, f"{' '.join(words)}: exit {done.returncode}, {done.stderr.decode()[-500:]}")
    kib, took_s = done.stdout.split()
    return int(kib) / 1024, float(took_s)
