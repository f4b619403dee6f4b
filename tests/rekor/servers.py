"""Rekor v1, Rekor v2 and a timestamp authority as other people run them, on loopback, for one run of the tests.

    RekorV1     MariaDB on a socket, Trillian's log server and log signer, rekor-server     http://127.0.0.1:3000
    RekorV2     posix on a directory, and front, which serves the directory's tiles         http://127.0.0.1:13000
    Authority   timestamp-server with a key in its memory                                   http://127.0.0.1:3999

Each has `start()`, which returns when the server answers; `kill(NAME)`, SIGKILL to one of its processes, and `revive()`,
which starts again whatever is not running, over the same state (v1: the same tree; v2: the same directory); `stop()`; the
files that a client is handed (`trusted_root`, `signing_config`, written as cosign writes them); and `leaf_hashes()`, which
asks no server: v1's come from Trillian's tables, v2's from the tiles.

Run this in a network namespace with only lo, which is up: rekor-server and timestamp-server bind a port for metrics on
every interface, and no port here is chosen to be free elsewhere. run.sh makes one, `raise_loopback` looks. Everything that is written goes into
the folder that the caller names; a process's words go to NAME.log there.
"""

import base64
import fcntl
import hashlib
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

START = "2024-01-01T00:00:00Z"
# How long a server may take until it answers; MariaDB on a busy machine is the slowest by far.
READY_S = 120
# How often a server that is starting is asked.
ASK_EVERY_S = 0.02
# netdevice(7).
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
# Where Debian puts mariadbd.
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


class NotReady(Exception):
    """A server that ended, or did not answer in time; its text has the last it said."""


@dataclass
class Process:
    """One program, its words in FOLDER/NAME.log; it can be started again after its end."""

    name: str
    command: list
    folder: Path
    env: dict = field(default_factory=dict)
    running: subprocess.Popen | None = None

    def start(self) -> None:
        env = {"PATH": PATH, "HOME": str(self.folder), "LC_ALL": "C", **self.env}
        with open(self.folder / f"{self.name}.log", "ab") as words:
            self.running = subprocess.Popen(
                [str(word) for word in self.command], stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=env
            )

    @property
    def is_running(self) -> bool:
        return self.running is not None and self.running.poll() is None

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self.running is not None:
            if self.is_running:
                self.running.send_signal(how)
            self.running.wait()
            self.running = None

    def wait_for(self, answers) -> None:
        """Asks until `answers()` is true; it may raise OSError or HTTPException for "not yet"."""
        end = time.monotonic() + READY_S
        while True:
            try:
                if answers():
                    return
            except (OSError, http.client.HTTPException):
                pass
            if not self.is_running:
                raise NotReady(f"{self.name} ended: {self.last_words()}")
            if time.monotonic() > end:
                raise NotReady(f"{self.name} does not answer after {READY_S} s: {self.last_words()}")
            time.sleep(ASK_EVERY_S)

    def last_words(self) -> str:
        words = (self.folder / f"{self.name}.log").read_text(errors="replace")
        return "\n".join(words.splitlines()[-15:])


class Server:
    """Processes in the order in which each needs the ones before it."""

    api: int
    url: str
    processes: dict[str, Process]

    def __init__(self, cache: Path, folder: Path):
        self.cache, self.folder = cache, folder
        folder.mkdir(parents=True)
        self.processes = {}
        # Leaves that the tests put there themselves, to see that all before them are in.
        self.markers: list[bytes] = []

    def add(self, name: str, *command: object, **env: str) -> Process:
        self.processes[name] = Process(name, list(command), self.folder, env)
        return self.processes[name]

    def kill(self, name: str) -> None:
        self.processes[name].end()

    def stop(self) -> None:
        for process in reversed(self.processes.values()):
            process.end()

    def revive(self) -> None:
        for name, process in self.processes.items():
            if not process.is_running:
                process.end()
                process.start()
                process.wait_for(lambda name=name: self.answers(name))

    def answers(self, name: str) -> bool:
        """Whether the process of this name is ready."""
        raise NotImplementedError

    def write_json(self, name: str, document: dict) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(document))
        return path

    def signing_config(self, url: str | None = None, name: str = "signing_config.json") -> Path:
        """Where to send; `url` names another address of this log, such as a proxy's."""
        return self.write_json(name, signing_config(url or self.url, self.api))


class RekorV1(Server):
    """Rekor 1.5.4 over Trillian 1.7.3: one tree, made at the first start."""

    api = 1
    hostname = "rekor.local"

    def __init__(self, cache: Path, folder: Path, port: int = 3000):
        super().__init__(cache, folder)
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.tree = 0
        self.key, self.public = key_pair(folder, "EC", "P-256")
        self.log_id = hashlib.sha256(self.public).digest()
        self.trusted_root = self.write_json(
            "trusted_root.json", trusted_root(self.hostname, self.public, "PKIX_ECDSA_P256_SHA_256", self.log_id)
        )

    def start(self) -> None:
        database, trillian = self.folder / "db", self.cache / "trillian"
        self.socket = self.folder / "db.sock"
        call(
            "mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={database}",
            "--auth-root-authentication-method=normal", "--skip-test-db",
        )  # fmt: skip
        self.add(
            "mariadbd", "mariadbd", "--no-defaults", "--user=root", f"--datadir={database}", f"--socket={self.socket}",
            f"--pid-file={self.folder / 'db.pid'}", "--skip-networking",
        )  # fmt: skip
        dsn = f"root@unix({self.socket})/trillian?parseTime=true&interpolateParams=true"
        # Without a limit of connections, 256 clients drown the database.
        stored = ["--storage_system=mysql", f"--mysql_uri={dsn}", "--mysql_max_conns=60", "--quota_system=noop"]
        self.add(
            "trillian_log_server", trillian / "trillian_log_server", *stored, "--rpc_endpoint=127.0.0.1:8090",
            # Not its usual 2112, which rekor-server and timestamp-server take of every interface, each unasked.
            "--http_endpoint=127.0.0.1:8091",
        )  # fmt: skip
        self.add(
            "trillian_log_signer", trillian / "trillian_log_signer", *stored, "--force_master", "--election_system=noop",
            "--rpc_endpoint=127.0.0.1:8092", "--http_endpoint=",
        )  # fmt: skip
        self.processes["mariadbd"].start()
        self.processes["mariadbd"].wait_for(lambda: self.answers("mariadbd"))
        self.sql("CREATE DATABASE trillian", database="")
        self.sql((trillian / "storage.sql").read_text())
        self.rekor = lambda: [
            self.cache / "rekor" / "rekor-server", "serve", "--rekor_server.address=127.0.0.1", f"--port={self.port}",
            f"--rekor_server.hostname={self.hostname}", f"--rekor_server.signer={self.key}",
            "--trillian_log_server.address=127.0.0.1", "--trillian_log_server.port=8090",
            f"--trillian_log_server.tlog_id={self.tree}", "--search_index.storage_provider=mysql",
            f"--search_index.mysql.dsn={dsn}",
        ]  # fmt: skip
        self.add("rekor-server", *self.rekor())
        self.revive()
        # With no tree named, rekor-server makes a new one at every start.
        self.tree = int(self.log()["treeID"])
        self.processes["rekor-server"].command = self.rekor()

    def answers(self, name: str) -> bool:
        if name == "mariadbd":
            return greets(self.socket)
        if name == "trillian_log_server":
            return ask("http://127.0.0.1:8091/healthz").status == 200
        if name == "trillian_log_signer":
            return listens(8092)
        return ask(f"{self.url}/api/v1/log").status == 200

    def sql(self, statements: str, database: str = "trillian") -> list[list[str]]:
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "-uroot", "--batch", "--skip-column-names"]
        said = call(*command, database, stdin=statements.encode()) if database else call(*command, stdin=statements.encode())
        return [line.split("\t") for line in said.decode().splitlines()]

    def log(self) -> dict:
        return json.loads(ask(f"{self.url}/api/v1/log").body)

    def tree_size(self) -> int:
        return self.log()["treeSize"]

    def leaf_hashes(self) -> list[bytes]:
        """Every leaf hash by index, once Trillian has given an index to all that it has taken."""
        signer = self.processes["trillian_log_signer"]
        signer.wait_for(lambda: self.sql("SELECT COUNT(*) FROM Unsequenced") == [["0"]])
        rows = self.sql(
            "SELECT SequenceNumber, HEX(MerkleLeafHash) FROM SequencedLeafData "
            f"WHERE TreeId = {self.tree} ORDER BY SequenceNumber"
        )
        if [int(index) for index, _ in rows] != list(range(len(rows))):
            raise ValueError("Trillian's leaves have gaps")
        return [bytes.fromhex(leaf) for _, leaf in rows]


class RekorV2(Server):
    """rekor-tiles 2.3.0 on a directory, its tiles beside it under /api/v2. One that forgets has no persistent antispam."""

    api = 2
    hostname = "rekor-local"

    def __init__(self, cache: Path, folder: Path, port: int = 13000, forgets: bool = False, algorithm: str = "ED25519"):
        super().__init__(cache, folder)
        self.port, self.url, self.forgets = port, f"http://127.0.0.1:{port}", forgets
        # posix would make it for its owner alone.
        self.storage = folder / "log"
        self.storage.mkdir()
        if algorithm == "ED25519":
            self.key, self.public = key_pair(folder, "ED25519")
            named = self.hostname.encode() + b"\n\x01" + self.public[-32:]
            details, self.log_id = "PKIX_ED25519", hashlib.sha256(named).digest()
        else:
            self.key, self.public = key_pair(folder, "EC", "P-256")
            details, self.log_id = "PKIX_ECDSA_P256_SHA_256", hashlib.sha256(self.public).digest()
        self.trusted_root = self.write_json(
            "trusted_root.json", trusted_root(self.hostname, self.public, details, self.log_id)
        )

    def start(self) -> None:
        self.add(
            "posix", self.cache / "rekor-tiles" / "posix", "serve", f"--hostname={self.hostname}",
            f"--storage-dir={self.storage}", f"--signer-filepath={self.key}", "--http-address=127.0.0.1",
            f"--http-port={self.port + 1}", "--grpc-address=127.0.0.1", f"--grpc-port={self.port + 2}",
            f"--http-metrics-port={self.port + 3}", "--checkpoint-interval=100ms",
            f"--persistent-antispam={'false' if self.forgets else 'true'}",
        )  # fmt: skip
        upstream = f"http://127.0.0.1:{self.port + 1}"
        self.add("front", self.cache / "rekor-peers" / "front", f"127.0.0.1:{self.port}", upstream, self.storage)
        self.revive()

    def answers(self, name: str) -> bool:
        if name == "posix":
            return ask(f"http://127.0.0.1:{self.port + 1}/healthz").status == 200
        return ask(f"{self.url}/api/v2/checkpoint").status == 200

    def checkpoint(self) -> str:
        return (self.storage / "checkpoint").read_text()

    def tree_size(self) -> int:
        return int(self.checkpoint().split("\n")[1])

    def leaf_hashes(self) -> list[bytes]:
        """Every leaf hash by index, of the tree that the checkpoint names, from the entries in the tiles."""
        size, hashes = self.tree_size(), []
        for tile in range(-(-size // 256)):
            width = min(256, size - 256 * tile)
            hashes += map(leaf_hash, entries((self.storage / tile_path("entries", tile, width)).read_bytes(), width))
        return hashes


class Authority(Server):
    """sigstore's timestamp-authority 2.1.3, with a key and a chain that it makes at every start."""

    def __init__(self, cache: Path, folder: Path, port: int = 3999):
        super().__init__(cache, folder)
        self.url = f"http://127.0.0.1:{port}"
        self.add(
            "timestamp-server", cache / "timestamp-authority" / "timestamp-server", "serve", "--host=127.0.0.1",
            f"--port={port}", "--timestamp-signer=memory", "--disable-ntp-monitoring",
        )  # fmt: skip

    def start(self) -> None:
        self.revive()
        self.chain = ask(f"{self.url}/api/v1/timestamp/certchain").body

    def answers(self, name: str) -> bool:
        return ask(f"{self.url}/api/v1/timestamp/certchain").status == 200

    @property
    def trusted(self) -> dict:
        """What a trusted root has of it in `timestampAuthorities`."""
        pems = self.chain.decode().split("-----END CERTIFICATE-----")[:-1]
        return {
            "subject": {"organization": "local", "commonName": "local"},
            "uri": self.url,
            "certChain": {"certificates": [{"rawBytes": "".join(pem.split("-----")[-1].split())} for pem in pems]},
            "validFor": {"start": START},
        }


def raise_loopback() -> None:
    """Brings lo up in a network namespace that is new, where it is down, and refuses any that has more than lo."""
    devices = [name for _, name in socket.if_nameindex()]
    if devices != ["lo"]:
        raise NotReady(f"this network has {devices}: run me in a namespace of my own, as run.sh does")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = b"lo".ljust(16, b"\0")
        flags = struct.unpack("16sh", fcntl.ioctl(control, SIOCGIFFLAGS, name + bytes(2)))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh", name, flags | IFF_UP))


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def ask(url: str, body: bytes | None = None, kind: str = "application/json") -> Reply:
    """One request on a connection of its own: GET, or POST where there is a body."""
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        headers = {"Accept": "*/*", **({"Content-Type": kind} if body is not None else {})}
        connection.request("GET" if body is None else "POST", f"/{path}", body, headers)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def greets(path: Path) -> bool:
    """Whether a database on this socket says who it is: it does so when it has recovered, not before."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        return len(connection.recv(5)) == 5


def listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        return True


def call(*command: object, stdin: bytes = b"") -> bytes:
    words = [str(word) for word in command]
    done = subprocess.run(words, input=stdin, capture_output=True, check=False, env={"PATH": PATH, "HOME": "/nonexistent"})
    if done.returncode != 0:
        raise NotReady(f"{' '.join(words)}: exit code {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def key_pair(folder: Path, algorithm: str, curve: str = "") -> tuple[Path, bytes]:
    """A private key in a file, as PKCS#8 PEM, and its public half as SubjectPublicKeyInfo."""
    key = folder / "log.key"
    call("openssl", "genpkey", "-algorithm", algorithm, *(["-pkeyopt", f"ec_paramgen_curve:{curve}"] if curve else []), "-out", key)
    call("openssl", "pkey", "-in", key, "-pubout", "-out", folder / "log.pub")
    return key, call("openssl", "pkey", "-in", key, "-pubout", "-outform", "DER")


def trusted_root(hostname: str, public: bytes, details: str, log_id: bytes) -> dict:
    key = {"rawBytes": standard(public), "keyDetails": details, "validFor": {"start": START}}
    # sigstore-js asks that the base URL holds the name under a checkpoint, so it is no address of a socket.
    log = {"baseUrl": f"http://{hostname}", "hashAlgorithm": "SHA2_256", "publicKey": key, "logId": {"keyId": standard(log_id)}}
    return {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "tlogs": [log]}


def signing_config(url: str, api: int) -> dict:
    return {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "rekorTlogUrls": [{"url": url, "majorApiVersion": api, "validFor": {"start": START}, "operator": "local"}],
        "rekorTlogConfig": {"selector": "ANY"},
        "tsaConfig": {},
    }


def standard(content: bytes) -> str:
    return base64.b64encode(content).decode()


def leaf_hash(body: bytes) -> bytes:
    return hashlib.sha256(b"\0" + body).digest()


def tile_path(level: str, tile: int, width: int) -> str:
    """C2SP tlog-tiles: three digits a folder, all but the last with an x, and what a partial tile holds."""
    digits = f"{tile % 1000:03}"
    while tile := tile // 1000:
        digits = f"x{tile % 1000:03}/{digits}"
    return f"tile/{level}/{digits}" + ("" if width == 256 else f".p/{width}")


def entries(bundle: bytes, count: int) -> list[bytes]:
    """The entries of an entry bundle: each after its length in two bytes, big-endian."""
    found = []
    while bundle:
        end = 2 + int.from_bytes(bundle[:2])
        found.append(bundle[2:end])
        bundle = bundle[end:]
    if len(found) < count:
        raise ValueError(f"{len(found)} entries in a bundle of {count}")
    return found[:count]
