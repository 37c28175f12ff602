"""kill -9 at many moments of one run, resumed each time: the same results as an unbroken run."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from openai_server import OpenAIServer

from suite.journal.run import Run

HERE = Path(__file__).resolve().parent
KILLS = 50


def start(url: str, folder: Path) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": str(HERE.parent / "servers")}
    return subprocess.Popen([sys.executable, str(HERE / "killed.py"), url, str(folder)], env=env)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.jsonl")) if folder.exists() else 0


def results(folder: Path) -> dict[str, object]:
    reader = Run(folder)
    found = msgspec.to_builtins(reader.results)
    return {name: value for name, value in found.items() if name not in ("seconds", "run")}


@pytest.mark.slow
async def test_fifty_kills_change_nothing(tmp_path: Path) -> None:
    import asyncio

    async with OpenAIServer(latency_s=0.01) as server:
        whole = await asyncio.to_thread(start(server.url, tmp_path / "whole").wait)
        assert whole == 0
        asked_once = server.requests
        total = size(tmp_path / "whole")
        server.reset()
        chance = random.Random(5)
        kills, lives = 0, 0
        while True:
            lives += 1
            process = start(server.url, tmp_path / "broken")
            if kills == KILLS:
                assert await asyncio.to_thread(process.wait) == 0
                break
            grown = size(tmp_path / "broken") + chance.random() * total / KILLS * 1.5
            pause = chance.random() * 0.01
            deadline = time.monotonic() + 60
            while (
                process.poll() is None and size(tmp_path / "broken") < grown and time.monotonic() < deadline
            ):
                await asyncio.sleep(0.001)
            await asyncio.sleep(pause)
            if process.poll() is not None:
                break  # it finished between two looks
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait)
            kills += 1
        in_flight_at_a_kill = server.requests - asked_once
    assert kills >= KILLS // 2, f"only {kills} kills hit the run"
    assert results(tmp_path / "broken") == results(tmp_path / "whole")
    broken, unbroken = Run(tmp_path / "broken"), Run(tmp_path / "whole")
    for journal in ("outputs", "calls"):
        ids, whole_ids = (
            [getattr(one, "id", None) or (one.cell, one.sample) for one in getattr(run.journal, journal)]
            for run in (broken, unbroken)
        )
        assert max(Counter(ids).values()) == 1, f"a record of {journal} stands twice"
        assert set(ids) == set(whole_ids)
    scores = [(one.cell, one.sample) for one in broken.judged.scores]
    assert len(scores) == len(set(scores)) == 240
    # a journaled call is never asked again: what was asked more often was in flight at a kill
    most_in_flight = 64
    assert in_flight_at_a_kill <= kills * most_in_flight
