"""One policy over a set of attestations that cosign made and logged, and that airtight made and logged.

Of one artifact a provenance, an SBOM and a vulnerability report are required, of three signers. Half of the signers sign with
cosign, whose entries go to the Rekor under test; the other half with airtight, each into the log of a site of its own. None
may be older than 30 days: Rekor v1 and our own logs sign for a time, and entries of Rekor v2 are stamped by an authority. Then
each attestation is taken away, swapped for another artifact's, signed by another key, or given another type, and the policy
must refuse it by the name of its requirement, with the code that says why.
"""

import base64
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from entries import canonical
from scene import EXITS, TIMEOUT_S, Answer, Run, expect, note
from servers import Authority, Server
from sites import Site

PROVENANCE = "https://slsa.dev/provenance/v1"
SBOM = "https://cyclonedx.org/bom"
REPORT = "https://cosign.sigstore.dev/attestation/vuln/v1"

COMMIT = "3f786850e387550fdab836ed7e6dc881de23001b"
DEPENDENCIES = [{"uri": "git+https://forge.example/acme/pump", "digest": {"gitCommit": COMMIT}}]


@dataclass(frozen=True)
class Kind:
    """What is required: its name in the policy, its type and the short name, and who may sign."""

    name: str
    type: str
    short: str
    signer: str


KINDS = (
    Kind("provenance", PROVENANCE, "slsaprovenance1", "builder"),
    Kind("sbom", SBOM, "cyclonedx", "librarian"),
    Kind("report", REPORT, "vuln", "scanner"),
)


def predicates(artifact: str) -> dict[str, dict]:
    """Predicates as the three formats have them, about one artifact."""
    return {
        "provenance": {
            "buildDefinition": {
                "buildType": "https://forge.example/build/v1",
                "externalParameters": {"ref": "refs/tags/v1.0", "artifact": artifact},
                "internalParameters": {},
                "resolvedDependencies": DEPENDENCIES,
            },
            "runDetails": {"builder": {"id": "https://forge.example/builder"}, "metadata": {"invocationId": "1"}},
        },
        "sbom": {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {"component": {"type": "firmware", "name": artifact, "version": "1.0"}},
            "components": [{"type": "library", "name": "zlib", "version": "1.3.1", "purl": "pkg:generic/zlib@1.3.1"}],
        },
        "report": {
            "invocation": {"uri": "https://forge.example/scan/1", "event_id": "1", "builder.id": "scanner"},
            "scanner": {"uri": "pkg:generic/scanner@2.0", "version": "2.0", "db": {}, "result": {"critical": 0}},
            "metadata": {"scanStartedOn": "2026-01-01T00:00:00Z", "scanFinishedOn": "2026-01-01T00:01:00Z"},
        },
    }


class Cosign:
    """Keys that cosign made, and what it attests with them: into the Rekor under test, without a certificate."""

    def __init__(self, run: Run, rekor: Server, authority: Authority | None):
        self.run, self.rekor, self.folder = run, rekor, run.folder / f"cosign-v{rekor.api}"
        self.folder.mkdir()
        config = json.loads(rekor.signing_config().read_text())
        self.unstamped = rekor.write_json("unstamped.json", config)
        self.config, self.trusted_root = self.unstamped, rekor.trusted_root
        if authority is not None:
            service = config["rekorTlogUrls"][0] | {"url": f"{authority.url}/api/v1/timestamp", "majorApiVersion": 1}
            config |= {"tsaUrls": [service], "tsaConfig": {"selector": "ANY"}}
            self.config = rekor.write_json("stamped.json", config)
            root = json.loads(rekor.trusted_root.read_text()) | {"timestampAuthorities": [authority.trusted]}
            self.trusted_root = rekor.write_json("with_authority.json", root)

    def call(self, *words: object) -> None:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "COSIGN_PASSWORD": "", "TMPDIR": str(self.folder)}
        command = [str(word) for word in (self.run.cache / "cosign3" / "cosign", *words)]
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, check=False, timeout=TIMEOUT_S)
        expect(done.returncode == 0, f"cosign {words[0]}: {done.stdout.decode()} {done.stderr.decode()[-2000:]}")

    def key(self, name: str) -> Path:
        public = self.folder / f"{name}.pub"
        if not public.exists():
            self.call("generate-key-pair", f"--output-key-prefix={name}")
        return public

    def attest(self, signer: str, kind: Kind, predicate: dict, artifact: Path, out: Path) -> Path:
        self.key(signer)
        text = self.folder / "predicate.json"
        text.write_bytes(canonical(predicate))
        self.call(
            "attest-blob", f"--key={signer}.key", f"--predicate={text}", f"--type={kind.short}", f"--bundle={out}",
            f"--signing-config={self.config}", f"--trusted-root={self.trusted_root}", "--yes", artifact,
        )  # fmt: skip
        return out


class Airtight:
    """Sites of airtight, one for each signer: each has a key and a log of its own."""

    def __init__(self, run: Run, name: str):
        self.run, self.name, self.sites = run, name, {}

    def site(self, signer: str) -> Site:
        if signer not in self.sites:
            self.sites[signer] = Site(self.run, f"{self.name}-{signer}")
        return self.sites[signer]

    def key(self, signer: str) -> Path:
        return self.site(signer).key

    def attest(self, signer: str, kind: Kind, predicate: dict, artifact: Path, out: Path) -> Path:
        site = self.site(signer)
        text = site.folder / "predicate.json"
        text.write_bytes(canonical(predicate))
        made = site.folder / "made"
        site.do("attest", artifact, "--predicate", text, "--type", kind.short, "--out", made, "--force")
        (bundle,) = made.iterdir()
        shutil.move(bundle, out)
        return out


class Policy:
    """A folder with an artifact, its policy, its bundles, and the trusted root of every log in it."""

    def __init__(self, run: Run, makers: dict[str, "Cosign | Airtight"], rekor: Server, trusted_root: Path):
        self.trusted_root = trusted_root
        self.run, self.makers, self.folder = run, makers, run.folder / f"release-v{rekor.api}"
        self.bundles = self.folder / "bundles"
        self.bundles.mkdir(parents=True)
        self.rekor, self.asked = rekor, 0
        self.artifact, self.other = self.folder / "pump-1.0.bin", self.folder / "valve-1.0.bin"
        self.artifact.write_bytes(b"pump 1.0\n")
        self.other.write_bytes(b"valve 1.0\n")
        for kind in KINDS:
            self.makers[kind.name].attest(
                kind.signer, kind, predicates("pump-1.0.bin")[kind.name], self.artifact, self.path(kind)
            )

    def path(self, kind: Kind) -> Path:
        return self.bundles / f"{kind.name}.sigstore.json"

    def make(self, kind: Kind, what: str, **changes: object) -> Path:
        """Another attestation in place of one of the set; `what` names its file."""
        signer, artifact = changes.get("signer", kind.signer), changes.get("artifact", self.artifact)
        said = changes.get("said", kind)
        predicate = changes.get("predicate", predicates(artifact.name)[kind.name])
        return self.makers[kind.name].attest(signer, said, predicate, artifact, self.folder / f"{what}.sigstore.json")

    def write(self) -> None:
        """The policy, and a trusted root that names the logs of all makers."""
        keys = "".join(f"  {kind.signer}: {{ file: {kind.signer}.pub }}\n" for kind in KINDS)
        logs = json.loads(self.trusted_root.read_text())
        for maker in set(self.makers.values()):
            sites = maker.sites.values() if isinstance(maker, Airtight) else ()
            for site in sites:
                logs["tlogs"] += json.loads((site.home / "trusted_root.json").read_text())["tlogs"]
        (self.folder / "trusted_root.json").write_text(json.dumps(logs))
        for kind in KINDS:
            shutil.copy(self.makers[kind.name].key(kind.signer), self.folder / f"{kind.signer}.pub")
        (self.folder / "policy.yaml").write_text(f"""\
policy: 1
title: release of the pump
keys:
{keys}require:
  - name: provenance
    by: [builder]
    type: ["{PROVENANCE}"]
    max_age_days: 30
    fields:
      - {{ at: /predicate/runDetails/builder/id, equals: "https://forge.example/builder" }}
      - {{ at: /predicate/buildDefinition/externalParameters/ref, matches: "refs/tags/v*" }}
  - name: sbom
    by: [librarian]
    type: ["{SBOM}"]
    max_age_days: 30
    fields: [{{ at: /predicate/specVersion, one_of: ["1.5", "1.6"] }}]
  - name: report
    by: [scanner]
    type: ["{REPORT}"]
    max_age_days: 30
    fields: [{{ at: /predicate/scanner/result/critical, equals: 0 }}]
""")

    def ask(self) -> tuple[Answer, dict[str, tuple[str, str | None]], dict[str, str]]:
        """The answer, how each requirement stands and with which code, and why bundles do not hold."""
        words = ["verify", self.artifact, "--bundles", self.bundles, "--policy", self.folder / "policy.yaml"]
        command = [self.run.airtight, *words, "--trusted-root", self.folder / "trusted_root.json", "--json"]
        done = subprocess.run(
            ["unshare", "-rn", "--", *map(str, command)], capture_output=True, check=False, timeout=TIMEOUT_S,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
        )  # fmt: skip
        answer = Answer(done.returncode, done.stdout, done.stderr.decode(errors="replace"))
        expect(answer.exit in EXITS and answer.out, f"verify --policy: {answer}")
        line = json.loads(answer.out.splitlines()[0])
        self.asked += 1
        findings = {finding["name"]: (finding["standing"], finding["code"]) for finding in line["policy"]}
        refused = {row["bundle"]: row["refusal"]["code"] for row in line["bundles"] if row["refusal"]}
        return answer, findings, refused

    def holds(self, what: str) -> None:
        answer, findings, refused = self.ask()
        met = {kind.name: ("met", None) for kind in KINDS}
        expect(answer.exit == 0 and findings == met and not refused, f"{what}: exit {answer.exit}, {findings}, {refused}")
        for finding in json.loads(answer.out.splitlines()[0])["policy"]:
            by_stamp = self.rekor.api == 2 and isinstance(self.makers[finding["name"]], Cosign)
            (times,) = (by["times"] for by in finding["by"])
            expect(times and all(("by a time stamp of" in time) == by_stamp for time in times), f"{what}: {finding}")

    def weaker(self, what: str, kind: Kind, code: str) -> None:
        """The requirement of this kind is weaker than asked with this code, and the others are met."""
        answer, findings, refused = self.ask()
        expected = {other.name: ("weaker", code) if other is kind else ("met", None) for other in KINDS}
        expect(answer.exit == 3 and findings == expected and not refused, f"{kind.name}, {what}: exit {answer.exit}, {findings}, {refused}")

    def refuses(self, what: str, kind: Kind, code: str, bundle: str | None = None) -> None:
        """The requirement of this kind is refused with this code, and no other; so is its bundle where one is named a code."""
        answer, findings, refused = self.ask()
        expected = {other.name: ("refused", code) if other is kind else ("met", None) for other in KINDS}
        expect(answer.exit == 1 and findings == expected, f"{kind.name}, {what}: exit {answer.exit}, {findings}, {refused}")
        wanted = {self.path(kind).name: bundle} if bundle else {}
        expect(refused == wanted, f"{kind.name}, {what}: refused bundles {refused}, not {wanted}")


def policy(run: Run) -> None:
    """A provenance, an SBOM and a report by cosign and by airtight meet one policy; each amiss is refused by name."""
    for api in (1, 2):
        rekor = run.rekor(api)
        authority = run.authority() if api == 2 else None
        cosign, ours = Cosign(run, rekor, authority), Airtight(run, f"site-v{api}")
        for turn, makers in enumerate(({0: cosign, 1: ours, 2: cosign}, {0: ours, 1: cosign, 2: ours}, {0: cosign, 1: cosign, 2: cosign})):
            if run.share and turn == 1:
                continue
            named = {kind.name: makers[place] for place, kind in enumerate(KINDS)}
            shutil.rmtree(run.folder / f"release-v{api}", ignore_errors=True)
            release = Policy(run, named, rekor, cosign.trusted_root)
            release.write()
            judge(release)
            by = ", ".join(f"{name} by {type(maker).__name__.lower()}" for name, maker in named.items())
            note(f"v{api}: {by}: {release.asked} questions, each refused for its own reason")
        rekor.stop()


def judge(release: Policy) -> None:
    """The whole set holds, in any order and beside others; each attestation that is amiss is refused by name."""
    release.holds("the whole set")
    for kind in KINDS:
        whole, place = release.path(kind).read_bytes(), release.path(kind)
        elsewhere = KINDS[(KINDS.index(kind) + 1) % len(KINDS)]
        place.unlink()
        release.refuses("taken away", kind, "required_missing")
        swapped = release.make(kind, "swapped", artifact=release.other)
        # Whatever it is about, it is handed over as the artifact's own.
        place.write_bytes(swapped.read_bytes())
        release.refuses("about another artifact", kind, "required_missing")
        place.write_bytes(release.make(kind, "stranger", signer="stranger").read_bytes())
        release.refuses("signed by a stranger", kind, "required_missing", "signature_invalid")
        same = release.makers[elsewhere.name]
        if type(same) is type(release.makers[kind.name]):
            place.write_bytes(release.make(kind, "colleague", signer=elsewhere.signer).read_bytes())
            release.refuses("signed by another of the policy's keys", kind, "required_signer")
        place.write_bytes(release.make(kind, "retyped", said=elsewhere).read_bytes())
        release.refuses("under another type", kind, "required_missing")
        wrong = json.loads(json.dumps(predicates("pump-1.0.bin")[kind.name]))
        spoil(kind, wrong)
        place.write_bytes(release.make(kind, "spoilt", predicate=wrong).read_bytes())
        release.refuses("saying something else", kind, "required_field")
        maker = release.makers[kind.name]
        if isinstance(maker, Cosign) and maker.config is not maker.unstamped:
            place.write_bytes(unstamped(whole))
            release.weaker("without its time stamp", kind, "required_time_unproven")
        place.write_bytes(retold(whole, elsewhere.type))
        release.refuses("its type changed after it was signed", kind, "required_missing", "signature_invalid")
        place.write_bytes(whole)
    for kind in KINDS:
        shutil.copy(release.folder / "spoilt.sigstore.json", release.bundles / f"more-{kind.name}.sigstore.json")
    release.holds("the whole set beside others that say something else")
    for kind in KINDS:
        (release.bundles / f"more-{kind.name}.sigstore.json").unlink()


def spoil(kind: Kind, predicate: dict) -> None:
    """Makes a predicate say what the policy does not ask for."""
    match kind.name:
        case "provenance":
            predicate["runDetails"]["builder"]["id"] = "https://forge.evil/builder"
        case "sbom":
            predicate["specVersion"] = "1.4"
        case "report":
            predicate["scanner"]["result"]["critical"] = 1


def unstamped(bundle: bytes) -> bytes:
    """The bundle without what the authority said of it."""
    document = json.loads(bundle)
    expect(document["verificationMaterial"].pop("timestampVerificationData", None), "the bundle has no time stamp")
    return canonical(document)


def retold(bundle: bytes, type: str) -> bytes:
    """The bundle with another type written into its signed statement."""
    document = json.loads(bundle)
    statement = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
    document["dsseEnvelope"]["payload"] = base64.b64encode(canonical(statement | {"predicateType": type})).decode()
    return canonical(document)
