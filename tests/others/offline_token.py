"""A plugin for the pytest of sigstore-conformance: the identity token that it fetches, though no signing is tested, is made here.

The suite reads who it names, who vouches and until when; nobody looks at its signature.
"""

import base64
import json
from types import SimpleNamespace

import urllib3


def part(members: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")


def request(*_: object, **__: object) -> SimpleNamespace:
    claims = {"email": "nobody@suite.example", "iss": "https://issuer.suite.example", "exp": 4102444800}
    return SimpleNamespace(data=f"{part({'alg': 'none'})}.{part(claims)}.".encode())


urllib3.request = request
