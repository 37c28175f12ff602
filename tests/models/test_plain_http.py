"""Our own HTTP client, against bytes in any portions and against servers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.errors import CallFailed
from suite.models.plain_http import Answer, PlainPool

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
FIXED = HEAD + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n"
EMPTY_CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + FIXED
ENDLESS = HEAD + b"\r\nhello"

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


@asynccontextmanager
async def serving(handle: Callable[[Reader, Writer], Awaitable[None]]) -> AsyncIterator[PlainPool]:
    async def safe(reader: Reader, writer: Writer) -> None:
        try:
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(safe, "127.0.0.1", 0)
    pool = PlainPool("127.0.0.1", server.sockets[0].getsockname()[1], {"Authorization": "Bearer x"}, 4.0)
    try:
        yield pool
    finally:
        await pool.close()
        server.close()
        await server.wait_closed()


def answering(*portions: bytes, close: bool = False) -> Callable[[Reader, Writer], Awaitable[None]]:
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
                answer = await pool.send("POST", "/x", b"{}")
                assert (answer.status, answer.body) == (200, b"hello")
                assert answer.headers["content-type"] == "application/json"
                assert "trailer" not in answer.headers

    asyncio.run(run())


@pytest.mark.parametrize(("data", "body"), [(ENDLESS, b"hello"), (EMPTY_CHUNKED, b""), (FIXED, b"hello")])
async def test_connections_that_close_after_an_answer(data: bytes, body: bytes) -> None:
    async with serving(answering(data, close=True)) as pool:
        answers: list[Answer] = [await pool.send("POST", "/x", b"{}") for _ in range(3)]
    assert [answer.body for answer in answers] == [body] * 3


async def test_what_is_sent_is_one_request() -> None:
    seen: list[bytes] = []

    async def handle(reader: Reader, writer: Writer) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2))
        writer.write(FIXED)

    async with serving(handle) as pool:
        await pool.send("POST", "/v1/x", b"{}")
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
            await pool.send("POST", "/x", b"{}")
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
            assert (await pool.send("GET", "/x", None)).body == b"hello"
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
        task = asyncio.ensure_future(pool.send("GET", "/slow", None))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        release.set()
        assert (await pool.send("GET", "/fast", None)).body == b"hello"
