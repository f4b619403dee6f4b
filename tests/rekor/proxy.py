"""A reverse proxy on loopback that breaks what passes through it, by rates, and counts what it did.

    too_many            429 in JSON, without Retry-After; nothing is passed on
    too_many_wait       429 with `Retry-After: 1`; the same request before its time is counted as `early`
    html                429, 503 or 200 with a page that a person should read
    bad_gateway         502 as nginx says it; half of the time the server has had the request
    accepted_500        500, and the server has had the request
    reset_before        the connection is reset; the server never saw the request
    reset_mid_body      the connection is reset in the middle of a true answer
    delay               a true answer, up to two seconds late
    conflict            v1: 409 though the entry is new, and its Location is 404 for a while. v2: 409 with its index
    missing             a GET is answered 404 (v1: of an entry, v2: of a tile), and is right the next time
    stale               v2: the checkpoint before the present one
    lie_index, lie_root, lie_key, lie_entry, lie_time          see lies.py

A rate is the share of requests that a fault applies to which get it; at most one fault a request. The same seed gives the
same faults in the same order of requests, but clients that ask in parallel come in their own order.

Of use alone too:  proxy.py PORT UPSTREAM RATES.json SEED  (no lies: they need the log's key); GET /counts gives the counts.
"""

import hashlib
import http.client
import json
import os
import random
import socket
import struct
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lies import KINDS, Liar, parse

POST_FAULTS = (
    "too_many", "too_many_wait", "html", "bad_gateway", "accepted_500", "reset_before", "reset_mid_body", "delay",
    "conflict", *(f"lie_{kind}" for kind in KINDS),
)  # fmt: skip
GET_FAULTS = ("too_many", "html", "bad_gateway", "reset_before", "reset_mid_body", "delay", "missing", "stale")
# A log answers a GET of one entry with all that it answered the POST with, so it can lie there as well.
LIES = tuple(f"lie_{kind}" for kind in KINDS)
# For how long the Location of a false conflict is not found.
ABSENT_S = 0.3
DELAY_MAX_S = 2.0
WAIT_S = 1
PAGE = b"<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
PASSED_ON = ("Content-Type", "Location", "Etag", "X-Log-Index")


class Proxy:
    """In front of `upstream` (http://HOST:PORT). `rates` may be changed while it runs; `forced` makes it sure."""

    def __init__(self, port: int, upstream: str, rates: dict[str, float], seed: str, liar: Liar | None = None):
        unknown = set(rates) - {*POST_FAULTS, *GET_FAULTS}
        if unknown:
            raise ValueError(f"no such faults: {unknown}")
        self.url, self.upstream, self.rates, self.liar = f"http://127.0.0.1:{port}", upstream, rates, liar
        self.counts: Counter[str] = Counter()
        # How many entries anyone tried to post.
        self.posts = 0
        self.dice, self.lock = random.Random(seed), threading.Lock()
        self.absent: dict[str, float] = {}
        self.waits: dict[bytes, float] = {}
        self.checkpoints: list[bytes] = []
        handler = type("Bound", (Handler,), {"proxy": self})
        self.server = Listener(("127.0.0.1", port), handler)

    def start(self) -> None:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] += 1

    def draw(self, faults: tuple[str, ...]) -> str | None:
        """The fault of this request, if it gets one."""
        with self.lock:
            at = self.dice.random()
            for fault in faults:
                at -= self.rates.get(fault, 0)
                if at < 0:
                    return fault
        return None

    def private_dice(self) -> random.Random:
        with self.lock:
            return random.Random(self.dice.getrandbits(64))


class Listener(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, request, client_address) -> None:
        """Clients that are killed leave their connections; nobody needs to read of it."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # So that the head and the body of an answer leave in one piece.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    proxy: Proxy

    def setup(self) -> None:
        super().setup()
        self.connected: http.client.HTTPConnection | None = None

    def finish(self) -> None:
        if self.connected is not None:
            self.connected.close()
        try:
            super().finish()
        except (OSError, ValueError):
            pass

    def log_message(self, format: str, *words: object) -> None:
        """Says nothing: what was done is counted."""

    def do_GET(self) -> None:
        proxy, path = self.proxy, self.path
        if path == "/counts":
            return self.answer(200, json.dumps(proxy.counts).encode())
        faults = GET_FAULTS if "/checkpoint" in path else tuple(fault for fault in GET_FAULTS if fault != "stale")
        if "/log/entries" in path:
            faults = (*faults, *LIES)
        fault = proxy.draw(faults)
        proxy.count(fault or "true")
        if self.is_absent(path) or (fault == "missing" and ("/tile/" in path or "/log/entries" in path)):
            return self.answer(404, b"")
        if not self.stopped(fault, b""):
            self.finish_with(fault, *self.pass_on("GET", None))

    def do_POST(self) -> None:
        proxy = self.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = proxy.draw(POST_FAULTS) if self.path.endswith("/log/entries") else None
        key = hashlib.sha256(body).digest()
        with proxy.lock:
            proxy.posts += self.path.endswith("/log/entries")
            early = proxy.waits.pop(key, 0) > time.monotonic()
        if early:
            proxy.count("early")
        proxy.count(fault or "true")
        if self.stopped(fault, key):
            return
        status, headers, said = self.pass_on("POST", body)
        if fault == "bad_gateway":
            return self.page(502, b"502 Bad Gateway")
        if fault == "accepted_500":
            return self.answer(500, b'{"code":500,"message":"unexpected result from transparency log"}')
        if fault == "conflict" and status == 201:
            return self.conflict(headers, said)
        self.finish_with(fault, status, headers, said)

    def stopped(self, fault: str | None, key: bytes) -> bool:
        """Gives the answers for which the server is not asked; false where it must be."""
        proxy = self.proxy
        if fault == "too_many":
            self.answer(429, b'{"code":429,"message":"too many requests"}')
        elif fault == "too_many_wait":
            with proxy.lock:
                proxy.waits[key] = time.monotonic() + WAIT_S
            self.answer(429, b'{"code":429,"message":"too many requests"}', {"Retry-After": str(WAIT_S)})
        elif fault == "html":
            dice = proxy.private_dice()
            self.page(*dice.choice(((429, b"429 Too Many Requests"), (503, b"503 Service Unavailable"), (200, b"Sign in to the network"))))
        elif fault == "bad_gateway" and (not key or proxy.private_dice().randrange(2)):
            self.page(502, b"502 Bad Gateway")
        elif fault == "reset_before":
            self.reset()
        else:
            return False
        return True

    def finish_with(self, fault: str | None, status: int, headers: dict, said: bytes) -> None:
        proxy = self.proxy
        if self.path.endswith("/checkpoint") and status == 200:
            with proxy.lock:
                seen = proxy.checkpoints
                if not seen or seen[-1] != said:
                    seen.append(said)
                    del seen[:-2]
                said = seen[0] if fault == "stale" else said
        if fault == "delay":
            time.sleep(proxy.private_dice().random() * DELAY_MAX_S)
        elif fault == "reset_mid_body":
            self.send_head(status, headers, len(said))
            self.wfile.write(said[: len(said) // 2])
            self.wfile.flush()
            return self.reset()
        elif fault in LIES:
            said = self.lie(fault, status, said)
        self.answer(status, said, headers)

    def lie(self, fault: str, status: int, said: bytes) -> bytes:
        answer = parse(said)
        if self.proxy.liar is None or status not in (200, 201) or answer is None:
            return said
        with self.proxy.lock:
            false = self.proxy.liar.lie(fault.removeprefix("lie_"), answer, self.proxy.dice)
        if false is None:
            return said
        self.proxy.count(f"{fault} told")
        return json.dumps(false).encode()

    def conflict(self, headers: dict, said: bytes) -> None:
        """Says of a new entry what the log would say of an old one."""
        words = "an equivalent entry already exists in the transparency log with "
        if "Location" in headers:
            path = "/" + headers["Location"].split("://")[-1].partition("/")[2]
            with self.proxy.lock:
                self.proxy.absent[path] = time.monotonic() + ABSENT_S
            message = {"code": 409, "message": f"{words}UUID {path.rpartition('/')[2]}"}
            return self.answer(409, json.dumps(message).encode(), {"Location": headers["Location"]})
        index = json.loads(said)["logIndex"]
        message = {"code": 6, "message": f"{words}index {index}", "details": []}
        self.answer(409, json.dumps(message).encode(), {"X-Log-Index": index})

    def is_absent(self, path: str) -> bool:
        with self.proxy.lock:
            return self.proxy.absent.get(path, 0) > time.monotonic()

    def pass_on(self, method: str, body: bytes | None) -> tuple[int, dict, bytes]:
        """The server's own answer; 502 where there is none, as any proxy says."""
        if self.connected is None:
            self.connected = http.client.HTTPConnection(self.proxy.upstream.removeprefix("http://"), timeout=120)
        headers = {name: self.headers[name] for name in ("Content-Type", "Accept") if name in self.headers}
        try:
            self.connected.request(method, self.path, body, headers)
            answer = self.connected.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            self.connected.close()
            self.connected = None
            self.proxy.count("no server")
            return 502, {"Content-Type": "text/html"}, PAGE % (b"502 Bad Gateway", b"502 Bad Gateway")
        return answer.status, {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}, said

    def page(self, status: int, title: bytes) -> None:
        self.answer(status, PAGE % (title, title), {"Content-Type": "text/html"})

    def answer(self, status: int, body: bytes, headers: dict | None = None) -> None:
        self.send_head(status, {"Content-Type": "application/json", **(headers or {})}, len(body))
        self.wfile.write(body)

    def send_head(self, status: int, headers: dict, size: int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(size))
        self.end_headers()

    def reset(self) -> None:
        """Ends the connection with RST: closed with a linger of nothing, before anyone can shut it down politely."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())


if __name__ == "__main__":
    port, upstream, rates, seed = sys.argv[1:]
    Proxy(int(port), upstream, json.loads(rates), seed).server.serve_forever()
