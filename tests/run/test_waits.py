"""What a run waits for is shown with its reason; what asks for too long a wait ends as pending."""

import asyncio
import io
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from small_tasks import Many, cells, pending_reasons, plan_of, run, scripted

from suite.chat import Request
from suite.errors import CallFailed
from suite.roles import Stage
from suite.run.calls import Waits, clock
from suite.run.progress import Progress


def busy(retry_after: float) -> CallFailed:
    return CallFailed(
        "status-429", "Rate limit exceeded", retryable=True, retry_after=retry_after, overload=True
    )


@pytest.mark.parametrize("seconds", [301.0, 3600.0, 99_999_999.0, 1e18])
async def test_a_wait_of_more_than_minutes_ends_as_pending_quota(tmp_path: Path, seconds: float) -> None:
    asked: list[str] = []

    def answer(request: Request, asking: Any) -> str:
        asked.append(asking.sample)
        if len(asked) == 4:
            raise busy(seconds)
        return "fine"

    for code, reasons in ((1, [("solve", "quota")]), (0, [("solve", "quota")])):
        plan = plan_of({"candidate": "scripted/echo"}, cells(Many), limit=20)
        scripted(answer, plan)
        outcome = await run(plan, tmp_path / "run")
        assert (outcome.exit_code, pending_reasons(tmp_path / "run")) == (code, reasons)
        if code:
            told = (outcome.examples or {})["quota"]
            assert told.startswith("429 Rate limit exceeded; the endpoint asks to wait until ")
    assert len(asked) == 21


async def test_an_endpoint_that_never_answers_ends_the_run(tmp_path: Path) -> None:
    def answer(request: Request, asking: Any) -> str:
        raise CallFailed("timeout", "no full reply within 600 s", retryable=True)

    plan = plan_of({"candidate": "scripted/echo"}, cells(Many))
    engine = scripted(answer, plan)
    outcome = await run(plan, tmp_path / "run")
    assert outcome.exit_code == 2
    assert "failed 20 calls in a row: timeout: no full reply within 600 s" in str(outcome.error)
    assert engine.calls < 40


def test_pauses_and_long_calls_are_shown_with_reason_and_next_try() -> None:
    waits = Waits()
    assert waits.shown() == []
    waits.open["a"] = time.monotonic() - 42.0
    with waits.pausing(7200.0, busy(7200.0)), waits.pausing(9000.0, busy(9000.0)):
        assert waits.shown() == [
            f"2 waiting, 429 Rate limit exceeded, next try {clock(time.time() + 7200.0)}",
            "1 asked, no reply yet for 42 s",
        ]
    waits.open.clear()
    assert waits.shown() == []


async def test_a_log_gets_a_line_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("suite.run.progress.time.monotonic", lambda: now[0])
    file = io.StringIO()
    shown = Progress((), 8, (Stage.SOLVE,), file=file)
    shown.watch(dict, lambda: ["3 waiting, 429 Slow down, next try 14:05"])
    times = []
    for second in range(400):
        now[0] = float(second)
        before = file.tell()
        shown.tick()
        if file.tell() > before:
            times.append(second)
    assert times == [10, 20, 40, 80, 140, 200, 260, 320, 380]
    assert file.getvalue().splitlines()[0] == "0/8  3 waiting, 429 Slow down, next try 14:05"


async def test_a_lack_of_open_files_is_ours_and_says_what_helps(tmp_path: Path) -> None:
    def answer(request: Request, asking: Any) -> str:
        raise OSError(24, "Too many open files")

    plan = plan_of({"candidate": "scripted/echo"}, cells(Many))
    engine = scripted(answer, plan)
    async with asyncio.timeout(60):
        outcome = await run(plan, tmp_path / "run")
    assert outcome.exit_code == 2
    assert "ulimit -n 4096" in str(outcome.error)
    assert pending_reasons(tmp_path / "run") == []
    assert engine.calls < 20


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        (128, "128 open files are allowed: at most"),
        (45, "EngineError only 45 open files are allowed, too few to run"),
    ],
)
def test_few_open_files_mean_few_requests_with_a_word(allowed: int, said: str) -> None:
    code = (
        "import resource\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({allowed}, {allowed}))\n"
        "from suite.models.descriptors import places\n"
        "try:\n    assert 8 < places(2, 256, print) < 45\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith(said)
