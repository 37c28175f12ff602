"""The loopback server is trusted by many tests, so its own promises are tested."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
from openai_server import OpenAIServer

SCRIPT = Path(__file__).resolve().parents[1] / "servers" / "openai_server.py"


async def ask(url: str, text: str, **more: object) -> tuple[int, dict[str, object]]:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **more}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/chat/completions", json=body) as reply,
    ):
        return reply.status, await reply.json()


def said(body: dict[str, object]) -> object:
    return body["choices"][0]["message"]["content"]  # type: ignore[index]


async def test_answers_depend_on_the_request_and_on_the_seed_only_when_sampling() -> None:
    async with OpenAIServer() as one, OpenAIServer() as two:
        first = said((await ask(one.url, "x", seed=1))[1])
        assert first == said((await ask(two.url, "x", seed=2))[1])
        assert first != said((await ask(one.url, "y"))[1])
        warm = [said((await ask(one.url, "x", seed=seed, temperature=1))[1]) for seed in (1, 2)]
        assert warm[0] != warm[1]
        assert (one.stats()["distinct"], two.stats()["distinct"]) == (4, 1)


async def test_faults_come_in_turn_and_by_mark() -> None:
    async with OpenAIServer(faults=["503", "ok"], fault_every=(4, "500")) as server:
        statuses = [(await ask(server.url, "x"))[0] for _ in range(4)]
        marked = [(await ask(server.url, "[[fault:429*2]]"))[0] for _ in range(3)]
        assert statuses == [503, 200, 200, 500]
        assert marked == [429, 429, 200]
        assert (server.requests, server.faulted, server.stats()["repeated"]) == (7, 4, 1)


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--port-file", str(port_file), "--constant", "hello"],
        stdout=subprocess.DEVNULL,
    )
    try:
        while not port_file.exists():
            assert process.poll() is None
            time.sleep(0.05)
        status, body = asyncio.run(ask(f"http://127.0.0.1:{port_file.read_text()}/v1", "x"))
        assert (status, said(body)) == (200, "hello")
    finally:
        process.terminate()
        process.wait()
