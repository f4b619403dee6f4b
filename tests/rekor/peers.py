"""The servers and tools of these tests, tried alone, without airtight: what the other scenarios rest on."""

import base64
import json
import subprocess

from entries import Signer, body, leaf
from receipts import Receipt, root_of
from scene import Run, expect, note
from servers import RekorV1, RekorV2, Reply, Server, ask


def servers(run: Run) -> None:
    """Both Rekors and the authority start, take entries, keep them through SIGKILL, and stop."""
    signer = Signer(run.folder / "signer")
    for api in (1, 2):
        rekor = run.rekor(api)
        written_as_cosign_does(run, rekor)
        requests = [signer.request(number, api) for number in range(3)]
        receipts = [posted(rekor, request) for request in requests]
        for name in rekor.processes:
            rekor.kill(name)
            rekor.revive()
            repeated = post(rekor, requests[0])
            expect(repeated.status == 409, f"after SIGKILL of {name}: {repeated.status} {repeated.body!r}")
        leaves = rekor.leaf_hashes()
        expect(sorted(leaves) == sorted(map(leaf, requests)), f"v{api} does not hold each entry once")
        expect(rekor.tree_size() == len(leaves), f"v{api}: {rekor.tree_size()} and {len(leaves)}")
        for request, receipt in zip(requests, receipts, strict=True):
            faults = receipt.faults(leaf(request), leaves, rekor)
            expect(not faults, f"v{api}: {faults}")
        expect(root_of(leaves) == current_root(rekor), f"v{api}: the leaves do not make its root")
        note(f"v{api}: 3 entries, {len(rekor.processes)} processes killed and started again")
        rekor.stop()
    chain = run.authority().chain
    expect(b"BEGIN CERTIFICATE" in chain, f"the authority's chain is {chain!r}")


def post(rekor: Server, request: dict) -> Reply:
    return ask(f"{rekor.url}/api/v{rekor.api}/log/entries", json.dumps(request).encode())


def posted(rekor: Server, request: dict) -> Receipt:
    """Posts it and reads it back: v1 by its UUID, v2 from the tiles, where only the leaf lies."""
    answer = post(rekor, request)
    expect(answer.status == 201, f"{answer.status} {answer.body!r}")
    if rekor.api == 2:
        receipt = Receipt(json.loads(answer.body))
        tile = ask(f"{rekor.url}/api/v2/tile/entries/000.p/{rekor.tree_size()}")
        expect(tile.status == 200 and body(request) in tile.body, "the tile does not hold the entry")
    else:
        uuid = answer.headers["Etag"]
        read = ask(f"{rekor.url}/api/v1/log/entries/{uuid}")
        expect(read.status == 200, f"{read.status} {read.body!r}")
        ((found, entry),) = json.loads(read.body).items()
        expect(found == uuid == f"{rekor.tree:016x}{leaf(request).hex()}", f"UUID {uuid}, then {found}")
        receipt = Receipt.of_v1(entry)
    expect(receipt.body == body(request), f"the canonical body is {receipt.body!r}, not {body(request)!r}")
    return receipt


def current_root(rekor: RekorV1 | RekorV2) -> bytes:
    if rekor.api == 1:
        return bytes.fromhex(rekor.log()["rootHash"])
    return base64.b64decode(rekor.checkpoint().split("\n")[2])


def written_as_cosign_does(run: Run, rekor: Server) -> None:
    """The two files of a target are what cosign writes for it."""
    cosign, folder = run.cache / "cosign3" / "cosign", rekor.folder
    trusted = json.loads(rekor.trusted_root.read_text())
    (log,) = trusted["tlogs"]
    origin = "" if rekor.api == 1 else f",origin={rekor.hostname}"
    start = "start-time=2024-01-01T00:00:00Z"
    root = f"url={log['baseUrl']},public-key={folder / 'log.pub'},{start}{origin}"
    service = f"url={rekor.url},api-version={rekor.api},{start},operator=local"
    ours = json.loads(rekor.signing_config().read_text())
    for words, ours in (
        (["trusted-root", "create", f"--rekor={root}"], trusted),
        (["signing-config", "create", f"--rekor={service}", "--rekor-config=ANY"], ours),
    ):
        out = folder / "cosign.json"
        done = subprocess.run([cosign, *words, "--out", out], capture_output=True, check=False, env={"HOME": str(folder)})
        expect(done.returncode == 0, f"cosign {words[0]}: {done.stderr.decode()}")
        theirs = json.loads(out.read_text())
        expect(theirs == ours, f"cosign {words[0]}: {theirs}, not {ours}")
