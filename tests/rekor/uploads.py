"""What an upload must survive: its own death, the server's, broken answers, and lies.

Whatever happens, the end is judged in the log itself (judge.py): each entry once, every receipt true.
"""

import http.client
import json
import signal
import subprocess
import threading
import time

from judge import all_logged, once, settled_leaves
from lies import KINDS
from scene import TIMEOUT_S, Answer, Run, expect, note
from servers import Server
from sites import TARGET, Site, push

# How often a push that leaves some behind is run again before that is a surprise.
RUNS_MAX = 40
PARALLEL = {1: 64, 2: 256}
# Between two looks at a log that is being written.
LOOK_EVERY_S = 0.01
# What may go wrong between client and server, as shares of all requests.
FAULTS = {
    "too_many": 0.02, "too_many_wait": 0.02, "html": 0.02, "bad_gateway": 0.02, "accepted_500": 0.02,
    "reset_before": 0.02, "reset_mid_body": 0.02, "delay": 0.02, "conflict": 0.02, "missing": 0.02, "stale": 0.05,
}  # fmt: skip


def ready(run: Run, api: int, count: int, url: str | None = None, rekor: Server | None = None, **options) -> tuple[Site, Server]:
    """A site with so many entries that may be sent, and the Rekor that they may be sent to."""
    rekor = rekor or run.rekor(api, **options)
    site = Site(run, f"site-v{api}")
    site.attest(count)
    site.add_target(rekor, url)
    site.enable()
    return site, rekor


def push_until_done(site: Site, api: int, bundles) -> list[Answer]:
    """Runs `sync push` until none remain: 9 says that some do, 1 that a receipt was refused."""
    answers = []
    while not answers or answers[-1].exit != 0:
        expect(len(answers) < RUNS_MAX, f"some remain after {RUNS_MAX} runs: {answers[-1] if answers else ''}")
        answers.append(site.push("--bundles", bundles, parallel=PARALLEL[api]))
        expect(answers[-1].exit in (0, 1, 9), f"sync push: {answers[-1]}")
    return answers


def killed(run: Run, api: int) -> None:
    """`sync push` is SIGKILLed at random moments and run again: each entry once, each receipt true."""
    count, kills = run.size(10_000, 300), run.size(20, 3)
    site, rekor = ready(run, api, count)
    bundles = site.folder / "bundles"
    # A moment is a size of the log; those beyond the last entry fall where receipts are brought home.
    # The first is early, so that a push is met at work whatever the others meet.
    moments = sorted([count // 4, *(run.random.randrange(count * 6 // 5) for _ in range(kills - 1))])
    done = 0
    for moment in moments:
        done += kill_at(run, site, rekor, bundles, min(moment, count))
    push_until_done(site, api, bundles)
    all_logged(site, rekor, bundles)
    note(f"{count} entries, killed {done} times at {moments}")
    expect(done >= 1, f"none of {kills} kills met a push that was at work")


def kill_at(run: Run, site: Site, rekor: Server, bundles, moment: int) -> bool:
    """Runs a push until the log has grown to `moment` and a little while longer; whether it was still at work."""
    words = site.command(*push("--bundles", bundles, parallel=PARALLEL[rekor.api]))
    said = site.folder / "push.stderr"
    with open(said, "ab") as stderr:
        at_work = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=stderr, env=site.env(), cwd=site.folder)
    end = time.monotonic() + TIMEOUT_S
    while at_work.poll() is None and size_of(rekor) < moment:
        expect(time.monotonic() < end, f"a push hangs before the log has {moment} entries")
        time.sleep(LOOK_EVERY_S)
    # Not luck: a part of a kill's moment that is drawn.
    time.sleep(run.random.random() * 0.3)
    was_at_work = at_work.poll() is None
    at_work.send_signal(signal.SIGKILL)
    at_work.wait()
    expect(was_at_work or at_work.returncode in (0, 9), f"sync push: exit {at_work.returncode}, see {said}")
    return was_at_work


def size_of(rekor: Server) -> int:
    """The size of the log now; 0 when it cannot be asked."""
    try:
        return rekor.tree_size()
    except (OSError, http.client.HTTPException, KeyError, ValueError):
        return 0


def killed_v1(run: Run) -> None:
    """An upload to Rekor v1 is SIGKILLed at random moments and run again."""
    killed(run, 1)


def killed_v2(run: Run) -> None:
    """An upload to Rekor v2 is SIGKILLed at random moments and run again."""
    killed(run, 2)


def ed25519(run: Run) -> None:
    """Ed25519 goes to Rekor v1; of v2 every entry is `unsupported_key`, and none is even tried."""
    count = run.size(10_000, 150)
    site = Site(run, "site-ed25519", signer="ed25519")
    site.attest(count)
    rekor = run.rekor(1)
    site.add_target(rekor)
    site.enable()
    push_until_done(site, 1, site.folder / "bundles")
    all_logged(site, rekor, site.folder / "bundles")
    rekor.stop()

    site = Site(run, "site-ed25519-v2", signer="ed25519")
    site.attest(count)
    rekor = run.rekor(2)
    between = run.proxy(rekor)
    site.add_target(rekor, between.url)
    site.enable()
    answer = site.push()
    expect(answer.exit in (0, 9), f"sync push: {answer}")
    standings = site.standings()
    expect(standings["skipped"].get("unsupported_key") == count, f"sync status says {standings}")
    expect(not rekor.tree_size() and not between.posts, f"{between.posts} entries were tried, {rekor.tree_size()} are in")
    site.do("log", "fsck")


def broken(run: Run, api: int) -> None:
    """A proxy breaks answers of every kind, lies among them: no duplicate, no false receipt, and all arrive."""
    count = run.size(10_000, 300)
    rekor = run.rekor(api)
    between = run.proxy(rekor, **FAULTS, **{f"lie_{kind}": 0.01 for kind in KINDS})
    site, _ = ready(run, api, count, between.url, rekor)
    bundles = site.folder / "bundles"
    answers = push_until_done(site, api, bundles)
    all_logged(site, rekor, bundles)
    expect(not between.counts["early"], f"{between.counts['early']} requests came before their Retry-After")
    note(f"{count} entries in {len(answers)} runs through {dict(sorted(between.counts.items()))}")


def broken_v1(run: Run) -> None:
    """Between airtight and Rekor v1 answers are broken, lost and false."""
    broken(run, 1)


def broken_v2(run: Run) -> None:
    """Between airtight and Rekor v2 answers are broken, lost and false."""
    broken(run, 2)


def lies(run: Run) -> None:
    """Each lie alone: it is refused with a code, the entry stays pending, and the truth is taken afterwards."""
    for api in (1, 2):
        rekor = run.rekor(api)
        between = run.proxy(rekor)
        site, _ = ready(run, api, 1, between.url, rekor)
        bundles = site.folder / "bundles"
        push_until_done(site, api, bundles)
        for kind in KINDS:
            # More than once, for most lies have two ways to be told, and the answer for another entry needs one to be told of.
            for _ in range(run.size(6, 2)):
                one_lie(site, api, between, kind, bundles)
        all_logged(site, rekor, bundles)
        between.stop()
        rekor.stop()


def one_lie(site: Site, api: int, between, kind: str, bundles) -> None:
    told = between.counts[f"lie_{kind} told"]
    site.attest(1)
    between.rates = {f"lie_{kind}": 1.0}
    answer = site.push("--bundles", bundles, "--json")
    between.rates = {}
    if between.counts[f"lie_{kind} told"] > told:
        expect(answer.exit in (1, 9), f"v{api}: a lie about {kind} was believed: {answer}")
        logged = site.standings().get("logged")
        expect(logged == len(site.numbers) - 1, f"v{api}, {kind}: {logged} of {len(site.numbers)} are logged")
        note(f"v{api} {kind}: exit {answer.exit}, {refusal_codes(answer)}")
        expect(refusal_codes(answer), f"v{api}: a lie about {kind} has no code: {answer} {answer.out.decode()}")
    push_until_done(site, api, bundles)


def refusal_codes(answer: Answer) -> list[str]:
    """Why answers did not count: as import refused them, or as the postman did not even take them for answers."""
    (report,) = answer.json["targets"]
    return [refusal["code"] for refusal in report["refusals"]] + [waits["reason"] for waits in report["waiting"]]


def servers_killed(run: Run, api: int, name: str, **options: object) -> None:
    """The server's processes are SIGKILLed one after another during an upload, and started again."""
    count, kills = run.size(10_000, 300), run.size(20, 3)
    site, rekor = ready(run, api, count, name=name, **options)
    bundles = site.folder / "bundles"
    moments = sorted(run.random.randrange(count) for _ in range(kills))
    # What front serves are files; without it nothing is asked of the log itself.
    names = [run.random.choice([one for one in rekor.processes if one != "front"]) for _ in moments]
    faults: list[Exception] = []
    over = threading.Event()

    def kill_them() -> None:
        try:
            for moment, victim in zip(moments, names, strict=True):
                while size_of(rekor) < moment and not over.wait(LOOK_EVERY_S):
                    pass
                rekor.kill(victim)
                rekor.revive()
        except Exception as fault:
            faults.append(fault)

    killer = threading.Thread(target=kill_them)
    killer.start()
    try:
        answers = push_until_done(site, api, bundles)
    finally:
        over.set()
        killer.join()
    if faults:
        raise faults[0]
    all_logged(site, rekor, bundles)
    note(f"{count} entries in {len(answers)} runs; killed {', '.join(names)}")


def servers_killed_v1(run: Run) -> None:
    """MariaDB, Trillian's two and rekor-server are SIGKILLed during an upload to Rekor v1."""
    servers_killed(run, 1, "rekor-v1")


def servers_killed_v2(run: Run) -> None:
    """posix is SIGKILLed during an upload to Rekor v2."""
    servers_killed(run, 2, "rekor-v2")


def forgetful_v2(run: Run) -> None:
    """posix is SIGKILLed during an upload, and forgets at each start what it has already taken."""
    servers_killed(run, 2, "rekor-v2-forgetful", forgets=True)


def disabled(run: Run) -> None:
    """While sending is not permitted nothing leaves: not by push, not by export, not by upload of what came before."""
    rekor = run.rekor(2)
    between = run.proxy(rekor)
    site = Site(run, "site-disabled")
    site.attest(20)
    site.add_target(rekor, between.url)
    pack = site.folder / "pack.tar"
    for words in (push(parallel=4), ["sync", "export", "--target", TARGET, "--out", pack], ["sync", "anchor", "--target", TARGET]):
        answer = site.ask(*words, online=True)
        expect(answer.exit != 70 and not between.posts, f"{' '.join(map(str, words))}: {answer}; {between.posts} were sent")
        expect(not pack.exists(), "a pack was written though sending is not permitted")
    standings = site.standings()
    expect(standings["skipped"].get("rekor_disabled") == 20, f"sync status says {standings}")
    once(rekor, settled_leaves(site, rekor), [])


def speed(run: Run) -> None:
    """`sync push` beside the bare load generator: the same server, the same parallelism, one after another."""
    for api in (1, 2):
        count = run.size(10_000, 500)
        site, rekor = ready(run, api, count)
        before = run.load(rekor, count, PARALLEL[api])["perSecond"]
        start = time.monotonic()
        answer = site.push(parallel=PARALLEL[api])
        pushed = count / (time.monotonic() - start)
        expect(answer.exit == 0, f"sync push: {answer}")
        bare = (before + run.load(rekor, count, PARALLEL[api])["perSecond"]) / 2
        note(f"v{api}: push {pushed:.0f} entries/s, bare {bare:.0f}: {pushed / bare:.2f} of it")
        expect(run.share or pushed >= 0.9 * bare, f"v{api}: push has {pushed / bare:.2f} of the bare speed, 0.9 is asked")
        rekor.stop()
