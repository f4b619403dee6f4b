"""Counts where the entries of a log stand towards each target, from what the log says alone: counts.py AIRTIGHT HOME.

It asks for the list of entries and the bytes of single ones, and for nothing that airtight concluded from them.
"""

import base64
import json
import subprocess
import sys

OURS = "https://airtight.dev/"
OURS_KINDS = ["decision", "receipts", "target", "exception", "anchor", "approval"]
CONTROL = [OURS + "key/v1", OURS + "epoch/v1", *(f"{OURS}transparency-{kind}/v1" for kind in OURS_KINDS)]


def ask(*words):
    return subprocess.run([sys.argv[1], "--home", sys.argv[2], "log", *words], check=True, stdout=subprocess.PIPE).stdout


entries = [json.loads(line) for line in ask("list", "--json", "--limit", "1000000000").splitlines()]
said = {kind: [] for kind in OURS_KINDS}
ed25519 = {}
for entry in entries:
    number, kind = entry["leaf_index"], entry["predicate_type"].removeprefix(OURS + "transparency-").removesuffix("/v1")
    if entry["predicate_type"] in CONTROL and kind in said:
        said[kind].append((number, json.loads(ask("entry", str(number), "--payload"))["predicate"]))
    if entry["signer_key_id"] not in ed25519:
        signature = json.loads(ask("entry", str(number), "--leaf"))["spec"]["signatures"][0]
        der = base64.b64decode(b"".join(base64.b64decode(signature["verifier"]).splitlines()[1:-1]))
        ed25519[entry["signer_key_id"]] = len(der) == 44

targets = {word["name"]: word for _, word in said["target"]}
versions = {name: word["apiVersion"] for name, word in targets.items() if not word["removed"]} or {"default": None}


def standing(entry, target):
    number, about = entry["leaf_index"], (target, "default")
    if any(number < at and row["index"] == number for at, word in said["receipts"] if word["target"] == target for row in word["receipts"]):
        return "logged"
    if entry["predicate_type"] in CONTROL:
        return "control_entry"
    exceptions = [word["reason"] for at, word in said["exception"] if word["target"] in about and number < at and number in word["indexes"]]
    if exceptions and exceptions[-1]:
        return exceptions[-1]
    if any(word["target"] == target and number < word["size"] for _, word in said["anchor"]):
        return "covered_by_anchor"
    decisions = [word for _, word in said["decision"] if word["target"] in about and word["from"] <= number]
    if not decisions or not decisions[-1]["enabled"]:
        return decisions[-1]["reason"] if decisions else "rekor_disabled"
    return "unsupported_key" if versions[target] == 2 and ed25519[entry["signer_key_id"]] else "pending_upload"


counts = {target: {} for target in versions}
for target, count in counts.items():
    for entry in entries:
        where = standing(entry, target)
        count[where] = count.get(where, 0) + 1
print(json.dumps({"size": len(entries), "targets": counts}, sort_keys=True))
