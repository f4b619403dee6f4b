"""The way of a courier, and what other people's clients say of the bundles that it brings home."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from judge import all_logged
from scene import EXITS, TIMEOUT_S, Answer, Run, expect, note
from servers import Server
from sites import TARGET, Site
from uploads import PARALLEL, push_until_done, ready

INTEROP = Path(__file__).resolve().parent.parent / "interop"
sys.path.insert(0, str(INTEROP))

from clients import Cosign, Library, Question  # noqa: E402

ARTIFACT_TYPE = "https://airtight.dev/artifact/v1"


def courier(run: Run) -> None:
    """Export, upload and import in three homes, two of them without a network, give the same receipts as push."""
    for api in (1, 2):
        site, rekor = ready(run, api, run.size(2_000, 200), name=f"rekor-v{api}")
        twin, stranger = site.copy(f"twin-v{api}"), Site(run, f"stranger-v{api}")
        bundles, pack, answers = (site.folder / name for name in ("bundles", "outbox.tar", "answers"))
        # A site and a courier's host have nothing in common but the pack.
        site.do("sync", "export", "--target", TARGET, "--out", pack)
        upload(run, api, pack, answers)
        site.do("sync", "import", answers, "--bundles", bundles)
        all_logged(site, rekor, bundles)
        again(run, api, site, rekor, pack, answers, bundles)
        push_until_done(twin, api, twin.folder / "bundles")
        all_logged(twin, rekor, twin.folder / "bundles")
        for index in site.numbers:
            by_courier, by_push = place(site, index), place(twin, index)
            expect(by_courier == by_push, f"v{api}, entry {index}: {by_courier} by courier, {by_push} by push")
        refused_packs(site, stranger, answers, rekor)
        rekor.stop()


def upload(run: Run, api: int, pack: Path, answers: Path) -> None:
    """The courier's host: no site, no keys, a home of its own; run again while some remain."""
    home = run.folder / f"courier-v{api}"
    home.mkdir(exist_ok=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(home)}
    words = [run.airtight, "sync", "upload", pack, "--out", answers, "--parallel", str(PARALLEL[api])]
    for _ in range(10):
        done = subprocess.run(words, capture_output=True, check=False, cwd=home, env=env, timeout=TIMEOUT_S)
        answer = Answer(done.returncode, done.stdout, done.stderr.decode(errors="replace"))
        expect(answer.exit in EXITS, f"sync upload: {answer}")
        if answer.exit != 9:
            break
    expect(answer.exit == 0, f"sync upload: {answer}")
    expect(not list(home.iterdir()), f"sync upload left {list(home.iterdir())} in the courier's home")


def again(run: Run, api: int, site: Site, rekor: Server, pack: Path, answers: Path, bundles: Path) -> None:
    """The same pack uploaded once more, the same receipts imported once more: nothing changes."""
    size, before = rekor.tree_size(), fingerprint(bundles)
    entries = site.do("sync", "status", "--json").json["size"]
    upload(run, api, pack, site.folder / "answers-again")
    expect(rekor.tree_size() == size, f"v{api}: the second upload of one pack made {rekor.tree_size() - size} entries")
    for receipts in (answers, site.folder / "answers-again"):
        site.do("sync", "import", receipts, "--bundles", bundles)
    expect(fingerprint(bundles) == before, f"v{api}: a second import changed bundles")
    after = site.do("sync", "status", "--json").json["size"]
    expect(after == entries, f"v{api}: a second import added {after - entries} entries to the site's log")


def place(site: Site, index: int) -> tuple:
    """What does not depend on when the log was asked: where the entry lies there, and since when."""
    (entry,) = site.bundle(index)["verificationMaterial"]["tlogEntries"]
    return entry["logId"], entry["logIndex"], entry.get("integratedTime"), entry["canonicalizedBody"]


def refused_packs(site: Site, stranger: Site, answers: Path, rekor: Server) -> None:
    """Receipts for another site, and receipts that were altered on the way, are refused whole."""
    stranger.add_target(rekor)
    answer = stranger.ask("sync", "import", answers)
    expect(answer.exit != 0 and answer.code == "pack_other_site", f"another site's receipts: {answer}")
    altered = site.folder / "altered"
    subprocess.run(["cp", "-a", answers, altered], check=True)
    rows = altered / "receipts.ndjson"
    rows.write_bytes(rows.read_bytes()[:-2] + b" \n")
    answer = site.ask("sync", "import", altered)
    expect(answer.exit != 0 and answer.code == "pack_sum", f"altered receipts: {answer}")


def fingerprint(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def clients(run: Run) -> None:
    """Other people's clients accept upgraded bundles under the Rekor under test alone; the local bundle is as it was."""
    authority = run.authority()
    for api, signer in ((1, "p256"), (1, "ed25519"), (2, "p256")):
        name = f"v{api}-{signer}"
        rekor = run.rekor(api, f"rekor-{name}")
        trusted = rekor.trusted_root
        if api == 2:
            # sigstore-js refuses an entry of v2 without a time that someone vouches for.
            document = json.loads(trusted.read_text()) | {"timestampAuthorities": [authority.trusted]}
            trusted = rekor.write_json("with_authority.json", document)
        site = Site(run, f"site-{name}", signer=signer)
        files = site.folder / "files"
        files.mkdir()
        for number in range(3):
            (files / f"part-{number}.txt").write_text(f"part {number}\n")
            site.do("attest", files / f"part-{number}.txt", "--out", files)
        local = fingerprint(files)
        first = {index: site.do("bundle", "get", index).out for index in (1, 2, 3)}
        site.add_target(rekor, trusted_root=trusted)
        site.enable()
        stamped = ["--timestamp", f"{authority.url}/api/v1/timestamp"] if api == 2 else []
        answer = site.push("--bundles", files, *stamped, parallel=4)
        expect(answer.exit == 0, f"sync push: {answer}")
        for path, digest in local.items():
            expect(fingerprint(files)[path] == digest, f"{path} was changed")
        for index, bundle in first.items():
            expect(site.do("bundle", "get", index).out == bundle, f"the local bundle of entry {index} was changed")
            path = files / f"part-{index - 1}.txt"
            upgraded = files / f"{index}-{path.name}.{TARGET}.sigstore.json"
            question = Question(upgraded, site.key, trusted, path, ARTIFACT_TYPE)
            ask_clients(run, name, question)
            if api == 2:
                without_time(run, question)
            names_its_log(site, rekor, path, upgraded, trusted)
        rekor.stop()


def without_time(run: Run, question: Question) -> None:
    """What the docs say of sigstore-js: it takes an entry of v2 with a time stamp only."""
    bundle = json.loads(question.bundle.read_bytes())
    expect(bundle["verificationMaterial"].pop("timestampVerificationData", None), "the bundle has no time stamp")
    bare = run.folder / "bare.sigstore.json"
    bare.write_text(json.dumps(bundle))
    answer = javascript(run, 4).ask(replace(question, bundle=bare), client_env(run))
    expect(answer.verdict == "no", f"sigstore-js 4.1 without a time stamp: {answer.verdict}: {answer.reason}")


def javascript(run: Run, major: int) -> Library:
    home = run.cache / f"js{major}"
    return Library(f"sigstore-js {major}", home / "node", INTEROP / "js" / "verify.cjs", home)


def client_env(run: Run) -> dict:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TMPDIR": str(run.folder)}


def ask_clients(run: Run, name: str, question: Question) -> None:
    cache, env = run.cache, client_env(run)
    for client in (
        Cosign("cosign 3.1.3", cache / "cosign3" / "cosign"),
        Cosign("cosign 2.6.5", cache / "cosign2" / "cosign"),
        Library("sigstore-go", cache / "sigstore-go" / "sigstore-go"),
        javascript(run, 4),
        # Version 3 knows no entry of v2.
        *([javascript(run, 3)] if name.startswith("v1") else []),
    ):
        answer = client.ask(question, env)
        expect(answer.verdict == "yes", f"{name}, {question.bundle.name}, {client.name}: {answer.verdict}: {answer.reason}")
    note(f"{name}: {question.bundle.name} is accepted by all")


def names_its_log(site: Site, rekor: Server, artifact: Path, upgraded: Path, trusted: Path) -> None:
    """`verify` says of each of two bundles in one folder which log it rests on, and refuses each under the other's root."""
    own = json.loads((site.home / "trusted_root.json").read_text())
    both = json.loads(trusted.read_text())
    both["tlogs"] += own["tlogs"]
    root = rekor.write_json("both.json", both)
    local = artifact.with_name(f"{artifact.name}.sigstore.json")
    said = {}
    for bundle in (local, upgraded):
        words = ["verify", artifact, "--bundle", bundle, "--key", site.key, "--type", ARTIFACT_TYPE, "--json"]
        said[bundle] = site.do(*words, "--trusted-root", root).out.decode()
        wrong = trusted if bundle == local else site.home / "trusted_root.json"
        answer = site.ask(*words, "--trusted-root", wrong)
        expect(answer.exit == 1, f"{bundle.name} under a root that does not name its log: {answer}")
    # A log is named by its logId, in hex as in every answer of airtight's.
    named = [rekor.log_id.hex() in said[bundle] for bundle in (local, upgraded)]
    expect(named == [False, True], f"verify does not say which log a bundle rests on: {said}")
