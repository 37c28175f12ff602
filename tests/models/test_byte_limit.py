"""No reply is larger than the limit, whatever its framing, compressed or not."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest

from suite.errors import CallFailed
from suite.models.connection import Answer
from suite.models.http import HttpClient

MOST = 200_000
HEAD = b"HTTP/1.1 200 OK\r\n"


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


zipped = partial(gzip.compress, mtime=0)  # names of tests hold the bytes: the same at all times
PACKED: dict[str, Callable[[bytes], bytes]] = {"gzip": zipped, "deflate": zlib.compress}


@asynccontextmanager
async def serving(head: bytes, body: bytes, *, again: bool = False) -> AsyncIterator[tuple[str, list[int]]]:
    """(URL, [bytes sent]): a server that sends the body once, or again until nobody listens."""
    sent = [0]
    ended = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD + head + b"\r\n")
            while True:
                writer.write(body)
                await writer.drain()
                sent[0] += len(body)
                if not again:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            ended.set()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", sent
    finally:
        await ended.wait()
        server.close()


async def got(url: str) -> Answer:
    client = HttpClient(url, {}, timeout_s=20.0, most_bytes=MOST)
    try:
        return await client.get("/x")
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"", b"x" * 65536),  # until the connection closes, which it never does
        (b"Transfer-Encoding: chunked\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        (b"Transfer-Encoding: chunked\r\n", b"1\r\nx\r\n" * 10_000),
        (b"Content-Length: 9999999999\r\n", b"x" * 65536),
        (b"Content-Encoding: gzip\r\n", zipped(b"x") * 1000),
    ],
    ids=["until close", "chunks", "small chunks", "length", "members"],
)
async def test_an_endless_reply_is_left_at_the_limit(head: bytes, body: bytes) -> None:
    async with serving(head, body, again=True) as (url, sent):
        with pytest.raises(CallFailed) as failed:
            await got(url)
    assert (failed.value.kind, failed.value.retryable) == ("too-large", False)
    assert "reply_mib" in failed.value.message
    assert sent[0] < 20 * 2**20  # what sockets hold besides


@pytest.mark.parametrize("name", PACKED)
async def test_a_bomb_is_not_unpacked(name: str) -> None:
    bomb = PACKED[name](b"0" * (40 * 2**20))
    head = f"Content-Encoding: {name}\r\nContent-Length: {len(bomb)}\r\n".encode()
    async with serving(head, bomb) as (url, _):
        with pytest.raises(CallFailed, match="too-large"):
            await got(url)


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("gzip", zipped(b"hello")),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", raw_deflate(b"hello")),
        ("gzip", zipped(b"hel") + zipped(b"lo")),
        ("deflate, gzip", zipped(zlib.compress(b"hello"))),
        ("identity", b"hello"),
    ],
)
async def test_what_comes_compressed_is_read(name: str, packed: bytes) -> None:
    head = f"Content-Encoding: {name}\r\nContent-Length: {len(packed)}\r\n".encode()
    async with serving(head, packed) as (url, _):
        assert (await got(url)).body == b"hello"


@pytest.mark.parametrize(
    ("name", "packed"), [("br", b"\x0b\x02\x80"), ("gzip", b"hello"), ("gzip", zipped(b"hello")[:-4])]
)
async def test_what_cannot_be_unpacked_is_the_endpoints_failure(name: str, packed: bytes) -> None:
    head = f"Content-Encoding: {name}\r\nContent-Length: {len(packed)}\r\n".encode()
    async with serving(head, packed) as (url, _):
        with pytest.raises(CallFailed, match="bad-http") as failed:
            await got(url)
    assert failed.value.retryable


@pytest.mark.parametrize("end", [b"5;" + b"x" * 200_000, b"0\r\n" + b"a: b\r\n" * 40_000])
async def test_heads_of_chunks_and_trailers_end(end: bytes) -> None:
    async with serving(b"Transfer-Encoding: chunked\r\n", end, again=True) as (url, sent):
        with pytest.raises(CallFailed, match="bad-http"):
            await got(url)
    assert sent[0] < 20 * 2**20
