"""The servers and tools of these tests, tried alone, without airtight: what the other scenarios rest on."""

import base64
import http.client
import json
import subprocess

from entries import Signer, body, leaf
from lies import KINDS
from proxy import POST_FAULTS, Proxy
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
            # A Rekor v2 may forget its newest entries when it is killed, and take them a second time.
            if api == 1:
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


def proxy(run: Run) -> None:
    """Each fault of the proxy does what it says, to a client that believes everything."""
    signer = Signer(run.folder / "signer")
    for api in (1, 2):
        rekor = run.rekor(api)
        between = run.proxy(rekor)
        number = 100 * api
        # The first answer of all is kept, to be told of another entry.
        for fault in ("lie_entry", *POST_FAULTS, "none"):
            number += 1
            request = signer.request(number, api)
            between.rates = {fault: 1.0} if fault != "none" else {}
            seen = outcome(between.url, api, request)
            between.rates = {}
            if number > 100 * api + 1:
                check_fault(fault, seen, request, rekor)
        for told in KINDS:
            expect(between.counts[f"lie_{told} told"] >= 1, f"v{api}: no lie about {told} was told: {between.counts}")
        # Whatever was said of them, those that the server has seen are in the log once.
        leaves = rekor.leaf_hashes()
        expect(len(set(leaves)) == len(leaves), f"v{api}: a fault made a duplicate")
        note(f"v{api}: {dict(between.counts)}")
        read_faults(between, api)
        rekor.stop()
        between.stop()


def outcome(url: str, api: int, request: dict) -> Reply | str:
    try:
        return ask(f"{url}/api/v{api}/log/entries", json.dumps(request).encode())
    except http.client.IncompleteRead:
        return "cut off"
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__


def check_fault(fault: str, seen: Reply | str, request: dict, rekor: RekorV1 | RekorV2) -> None:
    is_in = leaf(request) in set(rekor.leaf_hashes())
    said = f"v{rekor.api} {fault}: {seen}, and the entry is {'' if is_in else 'not '}in the log"
    if isinstance(seen, str):
        expect(fault in ("reset_before", "reset_mid_body"), said)
        expect(is_in == (fault == "reset_mid_body"), said)
        return
    statuses = {"too_many": {429}, "too_many_wait": {429}, "html": {429, 503, 200}, "bad_gateway": {502}, "accepted_500": {500}}
    expect(seen.status in statuses.get(fault, {409} if fault == "conflict" else {201}), said)
    expect((seen.headers["Retry-After"] == "1") == (fault == "too_many_wait"), said)
    expect(is_in or fault in ("too_many", "too_many_wait", "html", "bad_gateway"), said)
    if fault == "conflict":
        check_conflict(seen, request, rekor)
    elif seen.status == 201:
        document = json.loads(seen.body)
        receipt = Receipt.of_v1(*document.values()) if rekor.api == 1 else Receipt(document)
        faults = receipt.faults(leaf(request), rekor.leaf_hashes(), rekor)
        expect(bool(faults) == fault.startswith("lie_"), f"{said}: {faults}")


def check_conflict(seen: Reply, request: dict, rekor: RekorV1 | RekorV2) -> None:
    if rekor.api == 2:
        expect(rekor.leaf_hashes()[int(seen.headers["X-Log-Index"])] == leaf(request), f"conflict: {seen}")
    else:
        uuid = seen.headers["Location"].rpartition("/")[2]
        expect(uuid == f"{rekor.tree:016x}{leaf(request).hex()}", f"conflict: {seen}")


def read_faults(between: Proxy, api: int) -> None:
    path = "/api/v1/log/entries?logIndex=0" if api == 1 else "/api/v2/tile/entries/000.p/1"
    expect(ask(between.url + path).status == 200, f"v{api}: {path} cannot be read through the proxy")
    between.rates = {"missing": 1.0}
    expect(ask(between.url + path).status == 404, f"v{api}: {path} is not missing")
    between.rates = {}
    expect(json.loads(ask(f"{between.url}/counts").body)["missing"] == 1, "the counts do not tell")


def load(run: Run) -> None:
    """The bare load generator posts to both, and what it says it posted is in the logs."""
    for api, entries, parallel in ((1, run.size(5_000, 300), 64), (2, run.size(20_000, 2_000), 256)):
        rekor = run.rekor(api)
        said = run.load(rekor, entries, parallel)
        leaves = rekor.leaf_hashes()
        expect(len(set(leaves)) == len(leaves) == entries, f"{len(leaves)} leaves, {len(set(leaves))} of them different")
        note(f"v{api}: {said['perSecond']:.0f} entries/s, {parallel} at a time, p50 {said['p50Ms']:.0f} ms, p99 {said['p99Ms']:.0f} ms")
        rekor.stop()


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
