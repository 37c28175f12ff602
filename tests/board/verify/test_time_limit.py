"""VerifiedBundle ends when its time is over: at a rung, in a task's own code, while a sandbox runs."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import good_bundles
import psutil
import pytest
from click.testing import CliRunner
from suite_prefeval.classification import Classification

from suite.board.define.board_files import load_board
from suite.board.verify import Rerun, VerifiedBundle, ladder, time_limit, verify
from suite.board.verify.time_limit import Budget, TimeUp
from suite.cli.submit import submit
from suite.sandbox import probe
from suite.sandbox.boxes import Box

RUNGS = ("R3", "R4", "R6", "R7", "R8", "R9")


class Clock:
    """A clock that stands still until it is over."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def end(self) -> None:
        """The time is over, and the operating system says so."""
        self.now = 1000.0
        signal.raise_signal(signal.SIGALRM)


@pytest.fixture
def clock() -> Iterator[Clock]:
    handler = signal.getsignal(signal.SIGALRM)
    yield Clock()
    assert signal.getsignal(signal.SIGALRM) is handler


def not_run(found: VerifiedBundle) -> list[str]:
    return [rung.id for rung in found.ladder.findings.rungs.values() if rung.status == "not_run"]


def codes(found: VerifiedBundle) -> set[str]:
    return {one.code for one in found.ladder.findings}


def test_no_time_at_all(good: Callable) -> None:
    folder, board = good("choice")
    found = verify(folder, board=board, seconds=0)
    assert found.verdict == "incomplete"
    assert found.exit_code() == 1
    assert "R0.time-limit" in codes(found)
    assert len(not_run(found)) == 12
    assert found.data["columns"] == []
    assert found.trust == "L0"
    assert found.per_sample == b""


@pytest.mark.parametrize(
    ("step", "rung", "left"),
    [
        ("catalogue", "R2", {*RUNGS, "R5"}),
        ("same_world", "R3", {*RUNGS, "R5"}),
        ("complete", "R4", {*RUNGS[1:], "R5"}),
        ("replay", "R6", {"R6", "R7", "R8", "R9", "R5"}),
        ("numbers", "R8", {"R8", "R9", "R5"}),
        ("plausible", "R9", {"R9", "R5", "R8"}),
        ("asked", "R5", {"R5", "R8", "R9"}),
        ("make_columns", "R8", {"R8", "R9"}),
    ],
)
def test_it_says_where_the_time_ran_out(
    step: str, rung: str, left: set[str], good: Callable, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, board = good("choice")
    real = getattr(ladder, step)

    def slow(*arguments: Any) -> Any:
        clock.end()
        return real(*arguments)

    monkeypatch.setattr(ladder, step, slow)
    found = verify(folder, board=board, seconds=100, clock=clock)
    assert found.verdict == "incomplete"
    assert f"{rung}.time-limit" in codes(found)
    assert set(not_run(found)) == {*left, "R10", "R11"}
    assert found.data["columns"] == []
    assert rung in found.ladder.findings.rungs["R8"].reason


def test_runs_that_nobody_came_to(
    good: Callable, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was climbed for the first of two runs was not climbed for the bundle."""
    _, board = good("choice")
    first = good_bundles.run(good_bundles.RECIPES["choice"], tmp_path / "one")
    other = replace(good_bundles.RECIPES["choice"], parameters=(("", "inter_turns", "2"),))
    runs = [first, good_bundles.run(other, tmp_path / "two")]
    bundle = good_bundles.bundle(runs, board, tmp_path / "bundle")
    monkeypatch.setattr(ladder, "numbers", lambda *_: clock.end())
    found = verify(bundle, board=board, seconds=100, clock=clock)
    assert found.verdict == "incomplete"
    assert set(not_run(found)) == {*RUNGS, "R5", "R10", "R11"}


def test_errors_that_were_found_before_still_count(
    good: Callable, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, board = good("choice")

    def bad(subject: Any, *_: Any) -> None:
        subject.add("R8.metric", "wrong")
        clock.end()

    monkeypatch.setattr(ladder, "numbers", bad)
    assert verify(folder, board=board, seconds=100, clock=clock).verdict == "rejected"


def test_code_of_a_task_that_never_ends(
    good: Callable, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It never waits, so that only the alarm stops it; what it catches does not help it."""
    folder, board = good("choice")

    async def endless(*_: Any) -> Any:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        clock.now = 1000.0
        while True:
            try:
                while True:
                    pass
            except Exception:
                continue

    monkeypatch.setattr(Classification, "score", endless)
    found = verify(folder, board=board, seconds=100, clock=clock)
    assert "R6.time-limit" in codes(found)
    assert found.verdict == "incomplete"


def test_a_task_that_waits_for_ever(good: Callable, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The replay is cancelled, and cleans up."""
    folder, board = good("choice")
    left: list[str] = []

    async def waiting(*_: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            left.append("cleaned up")

    real = ladder.replay

    def late(subject: Any, scratch: Path) -> None:
        clock.now = 99.99
        real(subject, scratch)

    monkeypatch.setattr(Classification, "score", waiting)
    monkeypatch.setattr(ladder, "replay", late)
    found = verify(folder, board=board, seconds=100, clock=clock)
    assert "R6.time-limit" in codes(found)
    assert left


@pytest.mark.skipif(not probe().ok, reason="no sandbox on this machine")
def test_no_program_is_left_in_a_sandbox(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = good_bundles.Recipe("vibechecker/live", (("", "k", "0"),), board="parameters: {k: 0}")
    run = good_bundles.run(recipe, tmp_path / "run")
    board = good_bundles.board("live", recipe, tmp_path)
    bundle = good_bundles.bundle([run], board, tmp_path / "bundle")
    before = set(psutil.Process().children(recursive=True))
    during: list[psutil.Process] = []
    real = Box.run

    def over() -> None:
        if not during:
            during.extend(set(psutil.Process().children(recursive=True)) - before)
            clock.end()

    async def endless(self: Box, program: Any, limits: Any) -> Any:
        if "TRIAL_HOME" in program.env:  # the suite's own, of the sandbox
            return await real(self, program, limits)
        asyncio.get_running_loop().call_later(0.2, over)
        spin = replace(program, argv=(program.argv[0], "-I", "-c", "while True: pass"))
        return await real(self, spin, replace(limits, wall_s=1e6, cpu_s=1e6))

    monkeypatch.setattr(Box, "run", endless)
    found = verify(bundle, board=board, seconds=100, clock=clock)
    assert found.verdict == "incomplete"
    assert "R6.time-limit" in codes(found)
    assert during
    assert not set(psutil.Process().children(recursive=True)) - before


def test_asking_again_is_not_counted(good: Callable, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, board = good("choice")
    real = ladder._again

    def late(*arguments: Any) -> None:
        clock.now = 1000.0
        real(*arguments)

    monkeypatch.setattr(ladder, "_again", late)
    again = Rerun(12, {"candidate": ["scripted/words"]}, seed="a")
    found = verify(folder, board=board, seconds=100, clock=clock, again=again)
    assert found.data["rerun"]["samples"] == 12


def test_alarms_of_others_are_kept() -> None:
    """A timer that was set before goes on; a signal that comes early is no end."""
    rang: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 500)
        with Budget(100).armed():
            signal.raise_signal(signal.SIGALRM)
            assert signal.getitimer(signal.ITIMER_REAL)[0] <= 101
        assert 400 < signal.getitimer(signal.ITIMER_REAL)[0] <= 500
        assert not rang
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_another_thread_has_no_alarm_but_rungs(good: Callable, clock: Clock) -> None:
    folder, board = good("choice")
    found: list[VerifiedBundle] = []

    def work() -> None:
        clock.now = 0.0
        found.append(verify(folder, board=board, seconds=0, clock=clock))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found[0].verdict == "incomplete"


def test_checking_after_the_end_is_no_news() -> None:
    clock = Clock()
    one = Budget(10, clock)
    with one.armed():
        one.check()
    clock.now = 11.0
    one.check()
    with pytest.raises(TimeUp):
        Budget(0, clock).check()


def test_a_board_says_how_long(good: Callable, clock: Clock, tmp_path: Path, monkeypatch: Any) -> None:
    """Its hash is that of before where it does not."""
    folder, board = good("choice")
    path = tmp_path / "quick.yaml"
    path.write_text(board._text + "limits: {bundle_mib: 200}\n")
    assert load_board(path).sha256 == board.sha256
    path.write_text(board._text + "limits: {verify_seconds: 60}\n")
    quick = load_board(path)
    assert quick.sha256 != board.sha256
    real = ladder.same_world

    def slow(*arguments: Any) -> Any:
        clock.now = 61.0
        signal.raise_signal(signal.SIGALRM)
        return real(*arguments)

    monkeypatch.setattr(ladder, "same_world", slow)
    found = verify(folder, board=quick, clock=clock)
    assert found.verdict == "incomplete"
    assert found.ladder.findings.rungs["R4"].reason == "the time limit of 60 s ran out at R3"
    clock.now = 0.0
    assert "R3.time-limit" not in codes(verify(folder, board=board, clock=clock))


def test_from_the_command_line(good: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = good("choice")
    monkeypatch.setattr(time_limit.Budget, "left", 0.0)
    report = tmp_path / "report.json"
    done = CliRunner().invoke(
        submit, ["verify", str(folder), "--time-limit", "7", "--output", str(report)], standalone_mode=False
    )
    assert "the time limit of 7 s ran out at R0" in done.output
    assert "incomplete: a rung could not be climbed here" in done.output
    assert report.exists()
    done = CliRunner().invoke(submit, ["verify", str(folder), "--time-limit", "0"])
    assert done.exit_code == 2


def test_a_process_does_not_wait_for_work_that_was_given_up() -> None:
    lines = (
        "import threading",
        "from suite import __main__",
        "from suite.board.verify.time_limit import TimeUp",
        "def run(_):",
        "    threading.Thread(target=threading.Event().wait).start()",
        "    TimeUp()",
        "    print('told')",
        "    return 1",
        "__main__.run = run",
        "__main__.main()",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (1, "told\n"), done.stderr
