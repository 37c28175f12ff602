"""A run in the background: stopped by its caller, shown to him, and whole afterwards."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import suite
from suite.api.background import Screen
from tests.api.asking import ROWS, YES, Asking

SLOW: dict[str, Any] = {"data": {"rows": ROWS}, "concurrency": 1, "progress": False}
KEY = "pressed-at-b"  # a file: what the class reaches in Python would be a part of its identity


class Stopping(Asking):
    """Its user presses Ctrl-C while the second sample is asked, if the key is there."""

    info = suite.TaskInfo("asking/stopping", 1, "Is stopped", headline="right", datasets=("rows",))

    async def solve(self, sample: Any, models: suite.Models) -> suite.Output:
        if sample.id == "b" and Path(KEY).exists():
            Path(KEY).unlink()
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.5)
        return await super().solve(sample, models)


def test_an_interrupted_call_closes_down_and_goes_on_later() -> None:
    Path(KEY).touch()
    with pytest.raises(KeyboardInterrupt, match="the same call continues this run in"):
        suite.evaluate(Stopping, model="scripted/constant?text=yes", **SLOW)
    before = suite.load(next(iter_runs()))
    assert 0 < before.pending < 3
    run = suite.evaluate(Stopping, model="scripted/constant?text=yes", **SLOW)
    assert run.folder == before.folder
    assert run.pending == 0 and len(list(run.outputs())) == 3


async def test_a_cancelled_call_closes_down_and_goes_on_later() -> None:
    model = "scripted/constant?text=yes&delay_s=30"
    call = asyncio.ensure_future(suite.aevaluate(Asking, model=model, **SLOW))
    while not list(iter_runs()):
        await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert suite.load(next(iter_runs())).pending == 3


def iter_runs() -> Iterator[Any]:
    return (path.parent for path in Path("runs").glob("*/manifest.json"))


def test_progress_can_be_off(capsys: pytest.CaptureFixture[str]) -> None:
    suite.evaluate(Asking, model="scripted/constant?text=yes", **SLOW)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_finished_run_says_how_python_makes_another(
    made: suite.Evaluation, capsys: pytest.CaptureFixture[str]
) -> None:
    suite.evaluate(Asking, output=made.folder, **YES | {"progress": None})
    assert "nothing is left to do: shown as it was made (new=True makes another)" in capsys.readouterr().err


def test_a_cell_of_a_notebook_shows_one_output_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, str]] = []

    class Handle:
        def update(self, data: dict[str, str], *, raw: bool) -> None:
            assert raw
            shown.append(("update", data["text/html"]))

    def display(data: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        assert raw and display_id
        shown.append(("display", data["text/html"]))
        return Handle()

    import IPython.display

    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=1))
    cell = Screen()
    for line in ("1/3 <b>", "1/3 <b>", "2/3"):
        cell.show(line)
        cell.draw()
    cell.say("done & dusted")
    cell.show("")
    cell.draw()
    assert shown == [
        ("display", "<pre>1/3 &lt;b&gt;</pre>"),
        ("update", "<pre>2/3</pre>"),
        ("update", "<pre>done &amp; dusted</pre>"),
    ]
