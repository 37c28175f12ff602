"""Our own HTTP client, against bytes in any portions and against servers that misbehave."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.errors import CallFailed, ConfigError
from suite.models.connection import Answer
from suite.models.http import HttpClient

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
FIXED = HEAD + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n"
EMPTY_CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + FIXED
ENDLESS = HEAD + b"\r\nhello"

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


Handle = Callable[[Reader, Writer], Awaitable[None]]


@asynccontextmanager
async def listening(handle: Handle, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """HOST:PORT of a server; it ends once nobody is connected."""
    tasks: set[asyncio.Task[None]] = set()

    async def safe(reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(safe, "127.0.0.1", 0, ssl=tls)
    yield "{}:{}".format(*server.sockets[0].getsockname())
    server.close()
    await asyncio.gather(*tasks)


@asynccontextmanager
async def serving(
    handle: Handle, *, timeout_s: float = 60.0, tls: ssl.SSLContext | None = None, proxy_env: bool = False
) -> AsyncIterator[HttpClient]:
    async with listening(handle, tls) as place:
        url = f"{'https' if tls else 'http'}://{place}"
        pool = HttpClient(url, {"Authorization": "Bearer x"}, timeout_s=timeout_s, proxy_env=proxy_env)
        try:
            yield pool
        finally:
            await pool.close()


def answering(*portions: bytes, close: bool = False) -> Handle:
    async def handle(reader: Reader, writer: Writer) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
            for portion in portions:
                writer.write(portion)
                await writer.drain()
                await asyncio.sleep(0)
            if close:
                return

    return handle


@given(data=st.sampled_from([FIXED, CHUNKED, CONTINUED]), cuts=st.lists(st.integers(1, 150), max_size=6))
def test_an_answer_is_read_whole_in_any_portions(data: bytes, cuts: list[int]) -> None:
    places = sorted({cut for cut in cuts if cut < len(data)})
    portions = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]

    async def run() -> None:
        async with serving(answering(*portions)) as pool:
            for _ in range(2):
                answer = await pool.post("/x", b"{}")
                assert (answer.status, answer.body) == (200, b"hello")
                assert answer.headers["content-type"] == "application/json"
                assert "trailer" not in answer.headers

    asyncio.run(run())


@pytest.mark.parametrize(("data", "body"), [(ENDLESS, b"hello"), (EMPTY_CHUNKED, b""), (FIXED, b"hello")])
async def test_connections_that_close_after_an_answer(data: bytes, body: bytes) -> None:
    async with serving(answering(data, close=True)) as pool:
        answers: list[Answer] = [await pool.post("/x", b"{}") for _ in range(3)]
    assert [answer.body for answer in answers] == [body] * 3


async def test_what_is_sent_is_one_request() -> None:
    seen: list[bytes] = []

    async def handle(reader: Reader, writer: Writer) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2))
        writer.write(FIXED)

    async with serving(handle) as pool:
        await pool.post("/v1/x", b"{}")
    lines = seen[0].decode().split("\r\n")
    assert lines[0] == "POST /v1/x HTTP/1.1"
    assert {"Authorization: Bearer x", "Content-Length: 2", "Content-Type: application/json"} <= set(lines)
    assert lines[-2:] == ["", "{}"]


BROKEN = [
    ([HEAD + b"Content-Length: 50\r\n\r\nhello"], "half-body"),
    ([CHUNKED[:-12]], "half-body"),
    ([HEAD[:20]], "half-body"),
    ([b""], "reset"),
    ([b"SSH-2.0-OpenSSH\r\n\r\n"], "bad-http"),
    ([HEAD + b"Content-Length: many\r\n\r\n"], "bad-http"),
    ([HEAD + b"Content-Length: -5\r\n\r\n"], "bad-http"),
    ([HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"], "bad-http"),
    ([b"x" * 70_000], "bad-http"),
    ([FIXED.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")], "bad-http"),
    ([FIXED.replace(b"\r\n\r\n", b"\r\nContent-Length: 6\r\n\r\n")], "bad-http"),
    ([CHUNKED[:-2] + b"A: " + b"x" * 400_000], "bad-http"),
    ([b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"], "bad-http"),
]


@pytest.mark.parametrize(("portions", "kind"), BROKEN)
async def test_a_broken_answer_is_a_failed_call(portions: list[bytes], kind: str) -> None:
    async with serving(answering(*portions, close=True)) as pool:
        with pytest.raises(CallFailed) as caught:
            await pool.post("/x", b"{}")
    assert (caught.value.kind, caught.value.retryable) == (kind, True)


async def test_a_kept_connection_that_was_closed_is_replaced_once() -> None:
    connections = 0

    async def handle(reader: Reader, writer: Writer) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(FIXED)  # claims to keep the connection, then closes it

    async with serving(handle) as pool:
        for _ in range(5):
            assert (await pool.get("/x")).body == b"hello"
            await asyncio.sleep(0.01)
    assert connections == 5


async def test_an_answer_that_nobody_waits_for_never_reaches_another_request() -> None:
    release = asyncio.Event()

    async def handle(reader: Reader, writer: Writer) -> None:
        first = await reader.readuntil(b"\r\n\r\n")
        if b"/slow" in first:
            await release.wait()
            writer.write(HEAD + b"Content-Length: 4\r\n\r\nlate")
        else:
            writer.write(FIXED)

    async with serving(handle) as pool:
        task = asyncio.ensure_future(pool.get("/slow"))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release.set()
        assert (await pool.get("/fast")).body == b"hello"


async def test_a_request_whose_time_is_up_has_failed_and_a_later_one_has_its_own_time() -> None:
    async def handle(reader: Reader, writer: Writer) -> None:
        while True:
            first = await reader.readuntil(b"\r\n\r\n")
            if b"/never" in first:
                await reader.read()
            await asyncio.sleep(0.2)
            writer.write(FIXED)

    async with serving(handle, timeout_s=0.3) as pool:
        for _ in range(2):
            assert (await pool.get("/soon")).body == b"hello"
        with pytest.raises(CallFailed, match=r"timeout: no full reply within 0\.3 s"):
            await pool.get("/never")
        assert (await pool.get("/soon")).body == b"hello"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(certificate, key) of a server at 127.0.0.1 that nobody knows."""
    folder = tmp_path_factory.mktemp("tls")
    made = (folder / "certificate.pem", folder / "key.pem")
    names = ["-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2"]
    files = ["-out", str(made[0]), "-keyout", str(made[1])]
    subprocess.run(["openssl", "req", *kind, *names, *files], check=True, capture_output=True)
    return made


@pytest.fixture
def tls(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's side; this process trusts its certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


async def test_requests_over_tls_share_a_connection(tls: ssl.SSLContext) -> None:
    async with serving(answering(CHUNKED), tls=tls) as pool:
        for _ in range(3):
            assert (await pool.post("/x", b"{}")).body == b"hello"


@pytest.mark.parametrize(("portions", "kind"), BROKEN[:5])
async def test_a_broken_answer_over_tls_is_a_failed_call(
    tls: ssl.SSLContext, portions: list[bytes], kind: str
) -> None:
    async with serving(answering(*portions, close=True), tls=tls) as pool:
        with pytest.raises(CallFailed) as caught:
            await pool.post("/x", b"{}")
    assert (caught.value.kind, caught.value.retryable) == (kind, True)


async def test_a_certificate_that_nobody_knows_is_refused(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    async with serving(answering(FIXED), tls=tls) as pool:
        with pytest.raises(CallFailed, match="CERTIFICATE_VERIFY_FAILED") as caught:
            await pool.get("/x")
    assert (caught.value.kind, caught.value.retryable) == ("tls", False)


@asynccontextmanager
async def proxying(monkeypatch: pytest.MonkeyPatch, refusal: bytes = b"") -> AsyncIterator[list[bytes]]:
    """The heads that a proxy gets, which passes bytes on to where a head says, or refuses."""
    heads: list[bytes] = []

    async def copy(reader: Reader, writer: Writer) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def handle(reader: Reader, writer: Writer) -> None:
        heads.append(head := await reader.readuntil(b"\r\n\r\n"))
        if refusal:
            writer.write(refusal)
            return
        place = head.split(b" ")[1].removeprefix(b"http://").partition(b"/")[0].decode()
        there, to = await asyncio.open_connection(*place.split(":"))
        if head.startswith(b"CONNECT "):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            to.write(head)
        await asyncio.gather(copy(reader, to), copy(there, writer))

    async with listening(handle) as place:
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://me:pass%20word@{place}")
        monkeypatch.setenv("no_proxy", "")
        yield heads


AUTHORIZED = b"Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk\r\n"


async def test_a_proxy_of_the_environment_is_asked_where_that_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with proxying(monkeypatch) as heads:
        async with serving(answering(FIXED), proxy_env=False) as pool:
            assert (await pool.post("/x", b"{}")).body == b"hello"
        assert not heads
        async with serving(answering(FIXED), proxy_env=True) as pool:
            assert (await pool.post("/x", b"{}")).body == b"hello"
        assert heads[0].startswith(b"POST http://127.0.0.1:")
        assert AUTHORIZED in heads[0]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with serving(answering(FIXED), proxy_env=True) as pool:
            assert (await pool.post("/x", b"{}")).body == b"hello"
    assert len(heads) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("socks5://user:secret@127.0.0.1:9", "of the kind 'socks5'"),
        ("http://user:secret@127.0.0.1:xx", "is no URL of a proxy"),
        ("http://[::1", "is no URL of a proxy"),
        ("http://", "names no host"),
    ],
)
def test_a_proxy_that_cannot_be_asked_is_refused_and_not_passed_by(
    monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("https_proxy", url)
    with pytest.raises(ConfigError, match=f"HTTPS_PROXY .*{said}") as refused:
        HttpClient("https://a.example/v1", {}, timeout_s=1.0, proxy_env=True)
    assert "secret" not in str(refused.value)


async def test_a_proxy_is_asked_for_a_tunnel_to_a_server_with_tls(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxying(monkeypatch) as heads, serving(answering(FIXED), tls=tls, proxy_env=True) as pool:
        for _ in range(2):
            assert (await pool.post("/x", b"{}")).body == b"hello"
    assert len(heads) == 1
    assert heads[0].startswith(b"CONNECT 127.0.0.1:")
    assert AUTHORIZED in heads[0]


@pytest.mark.parametrize(
    ("refusal", "said"),
    [(b"HTTP/1.1 407 Log in\r\n\r\n", "407 Log in"), (b"SSH-2.0-x\r\n", "not answer in HTTP")],
)
async def test_a_proxy_that_opens_no_tunnel_is_a_failed_connection(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, refusal: bytes, said: str
) -> None:
    async with (
        proxying(monkeypatch, refusal),
        serving(answering(FIXED), tls=tls, proxy_env=True) as pool,
    ):
        with pytest.raises(CallFailed, match=said) as caught:
            await pool.get("/x")
    assert (caught.value.kind, caught.value.retryable) == ("connect", True)
