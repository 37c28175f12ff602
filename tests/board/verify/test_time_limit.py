"""A verification ends when its time is over: at a rung, in a task's own code, while a sandbox runs."""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import good_bundles
import psutil
import pytest
import slow_work
from click.testing import CliRunner

from suite.board.define.board import Board, load_board
from suite.board.verify import Rerun, VerifiedBundle, child_work, ladder, time_limit, verify
from suite.board.verify.child_work import SECONDS, TimeUp, in_child
from suite.board.verify.ladder import VerifyRequest, climb
from suite.cli.submit import submit
from suite.errors import ConfigError
from suite.sandbox import probe
from tests.board.making import as_values

RUNGS = ("R3", "R4", "R6", "R7", "R8", "R9")


@pytest.fixture(autouse=True)
def in_this_process() -> None:
    """Here children are children."""


class Clock:
    """A clock that stands still until the child is under way; then the time is over."""

    now = 0.0

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __call__(self) -> float:
        return self.now

    def hear(self, text: str) -> None:
        self.heard.append(text)
        if text == "here":
            self.now = 1000.0


def late(work: Any, folder: Path, board: Board, clock: Clock, **more: Any) -> VerifiedBundle:
    """Verified by work that takes too long."""
    return verify(folder, board=board, seconds=100, clock=clock, say=clock.hear, work=work, **more)


def not_run(found: VerifiedBundle) -> list[str]:
    return [rung.id for rung in found.findings.rungs.values() if rung.status == "not_run"]


def codes(found: VerifiedBundle) -> set[str]:
    return {one.code for one in found.findings}


def stopped(folder: Path, board: Board) -> VerifiedBundle:
    """What is told of a climb that was interrupted."""
    told: list[Any] = []
    with pytest.raises(KeyboardInterrupt):
        climb(told.append, VerifyRequest(folder, board))
    found: VerifiedBundle = told[-1]
    ladder.out_of_time(found, 100)
    return found


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def test_no_time_at_all(good: Callable[..., Any]) -> None:
    folder, board = good("choice")
    found = verify(folder, board=board, seconds=0)
    assert found.verdict == "incomplete"
    assert found.exit_code() == 1
    assert "R0.time-limit" in codes(found)
    assert len(not_run(found)) == 12
    assert as_values(found)["columns"] == []
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
    step: str, rung: str, left: set[str], good: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, board = good("choice")
    monkeypatch.setattr(ladder, step, interrupt)
    found = stopped(folder, board)
    assert found.verdict == "incomplete"
    assert f"{rung}.time-limit" in codes(found)
    assert set(not_run(found)) == {*left, "R10", "R11"}
    assert as_values(found)["columns"] == []
    assert rung in found.findings.rungs["R8"].reason


def test_runs_that_nobody_came_to(
    tmp_path: Path, good: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was climbed for the first of two runs was not climbed for the bundle."""
    _, board = good("choice")
    first = good_bundles.run(good_bundles.RECIPES["choice"], tmp_path / "one")
    other = replace(good_bundles.RECIPES["choice"], parameters=(("", "inter_turns", "2"),))
    runs = [first, good_bundles.run(other, tmp_path / "two")]
    bundle = good_bundles.bundle(runs, board, tmp_path / "bundle")
    monkeypatch.setattr(ladder, "numbers", interrupt)
    found = stopped(bundle, board)
    assert found.verdict == "incomplete"
    assert set(not_run(found)) == {*RUNGS, "R5", "R10", "R11"}


def test_errors_that_were_found_before_still_count(
    good: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, board = good("choice")

    def bad(subject: Any, *_: Any) -> None:
        subject.add("R8.metric", what="wrong")
        raise KeyboardInterrupt

    monkeypatch.setattr(ladder, "numbers", bad)
    assert stopped(folder, board).verdict == "rejected"


def test_code_of_a_task_that_never_ends(good: Callable[..., Any]) -> None:
    folder, board = good("choice")
    found = late(slow_work.busy, folder, board, Clock())
    assert "R6.time-limit" in codes(found)
    assert found.verdict == "incomplete"


def test_a_task_that_waits_for_ever(good: Callable[..., Any]) -> None:
    """The replay is cancelled, and cleans up."""
    clock = Clock()
    folder, board = good("choice")
    found = late(slow_work.waiting, folder, board, clock)
    assert "R6.time-limit" in codes(found)
    assert "cleaned up" in clock.heard


def test_what_no_interrupt_ends_is_killed(good: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found before the rung began is kept."""
    monkeypatch.setattr(child_work, "_GRACE", (0.1,))
    folder, board = good("choice")
    before = set(psutil.Process().children(recursive=True))  # of other tests
    found = late(slow_work.deaf, folder, board, Clock())
    assert "R8.time-limit" in codes(found)
    assert found.findings.rungs["R6"].status == "passed"
    assert set(psutil.Process().children(recursive=True)) <= before


@pytest.mark.skipif(not probe()["works"], reason="no sandbox on this machine")
def test_no_program_is_left_in_a_sandbox(tmp_path: Path) -> None:
    recipe = good_bundles.Recipe("vibechecker/live", (("", "k", "0"),), board="parameters: {k: 0}")
    run = good_bundles.run(recipe, tmp_path / "run")
    board = good_bundles.board("live", recipe, tmp_path)
    bundle = good_bundles.bundle([run], board, tmp_path / "bundle")
    before = set(psutil.Process().children(recursive=True))
    during: set[psutil.Process] = set()

    class Watching(Clock):
        def hear(self, text: str) -> None:
            during.update(set(psutil.Process().children(recursive=True)) - before)
            super().hear(text)

    found = late(slow_work.spinning, bundle, board, Watching())
    assert found.verdict == "incomplete"
    assert "R6.time-limit" in codes(found)
    assert len(during) > 1  # the child, and what it started
    assert not [one for one in during if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_asking_again_is_not_counted(good: Callable[..., Any]) -> None:
    clock = Clock()
    again = Rerun(12, {"candidate": ["scripted/words"]}, seed="a")
    folder, board = good("choice")
    found = late(slow_work.asking_again, folder, board, clock, again=again)
    assert "here" in clock.heard
    assert as_values(found)["rerun"]["samples"] == 12


def test_a_thread_that_works_on_holds_nobody_up() -> None:
    assert in_child(slow_work.with_a_thread, seconds=1e6) == "told"


def test_errors_come_through(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        verify(tmp_path, most=0, seconds=1e6)
    with pytest.raises(TimeUp):
        in_child(slow_work.asleep, seconds=0)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_child_ends_with_its_parent(number: signal.Signals, code: int, tmp_path: Path) -> None:
    """At once, whatever it does, without a word, and nothing of it is left; the whole group is told."""
    lines = (
        "import sys, slow_work",
        "from suite.board.verify import child_work",
        "child_work._GRACE = (1e6,)",
        "try:",
        "    hear = lambda pid: print(pid, flush=True)",
        "    child_work.in_child(slow_work.restless, seconds=1e6, hear=hear)",
        "except KeyboardInterrupt:",
        "    sys.exit(130)",
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(filter(None, sys.path)), "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert len(list(tmp_path.iterdir())) == 1
        os.killpg(parent.pid, number)
        _, errors = parent.communicate(timeout=60)
    assert (parent.returncode, errors) == (code, b"")
    psutil.wait_procs([child], timeout=60)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert not list(tmp_path.iterdir())


def test_an_interrupt_waits_until_the_work_begins(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It ends the child then, without a traceback."""
    started: list[subprocess.Popen[bytes]] = []

    def interrupted(*arguments: Any, **more: Any) -> subprocess.Popen[bytes]:
        started.append(popen(*arguments, **more))
        started[0].send_signal(signal.SIGINT)
        return started[0]

    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(RuntimeError, match="without a word"):
        in_child(slow_work.asleep, seconds=1e6)
    assert started[0].returncode == 0
    assert capfd.readouterr().err == ""


def test_a_parent_that_ends_before_it_gave_work(tmp_path: Path) -> None:
    """Whole parts, or an end amid one, as here: the child ends without a word."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with Path(os.devnull).open("wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-c", child_work._MAIN, str(nobody.fileno()), str(scratch)],
            input=pickle.dumps(sys.path) + pickle.dumps("work" * 100)[:50],
            pass_fds=[nobody.fileno()],
            capture_output=True,
            start_new_session=True,
            check=False,
        )
    assert (done.stdout, done.stderr) == (b"", b"")
    assert not scratch.exists()


def test_a_board_says_how_long(good: Callable[..., Any], tmp_path: Path) -> None:
    """Its hash is that of before where it does not."""
    _, board = good("choice")
    path = tmp_path / "quick.yaml"
    path.write_text(board.path.read_text() + "limits: {bundle_mib: 200}\n")
    assert load_board(path).sha256 == board.sha256
    path.write_text(board.path.read_text() + "limits: {verify_seconds: 60}\n")
    quick = load_board(path)
    assert quick.sha256 != board.sha256
    assert (time_limit(quick), time_limit(board), time_limit(None)) == (60, SECONDS, SECONDS)


def test_from_the_command_line(
    good: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = good("choice")

    def over(*_: Any, seconds: float, **__: Any) -> None:
        assert seconds == 7
        raise TimeUp

    monkeypatch.setattr(ladder, "in_child", over)
    report = tmp_path / "report.json"
    done = CliRunner().invoke(
        submit, ["verify", str(folder), "--time-limit", "7", "--output", str(report)], standalone_mode=False
    )
    assert "the time limit of 7 s ran out at R0" in done.output
    assert "incomplete: a rung could not be climbed here" in done.output
    assert report.exists()
    done = CliRunner().invoke(submit, ["verify", str(folder), "--time-limit", "0"])
    assert done.exit_code == 2
