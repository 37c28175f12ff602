"""The live view fits its terminal and tells cells apart; elsewhere a line says the same."""

import asyncio
import contextlib
import io
import os
import pty
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import pytest
from rich.console import Console
from small_tasks import Many, Spell, cells, plan_of, run, scripted

from suite.chat import Request
from suite.journal.records import OutputRecord, ScoreRecord
from suite.roles import Stage
from suite.run.cells import Cell
from suite.run.execution import Driver
from suite.run.progress import Progress
from suite.run.seats import MemberCost
from suite.task import Output

HOSTILE = "3 waiting, 429 \x1b[2J\x1b[1A\r\n" + "slow down " * 12 + "x" * 130 + ", next try 14:05"
SWEEP = cells(
    Spell, *({"turns": turns, "style": style} for turns in (0, 25) for style in ("plain", "polite"))
)


def progress(made: Sequence[Cell], file: TextIO | None = None) -> Progress:
    """Of one scored sample in each cell."""
    found = Progress(made, 400, (Stage.SOLVE, Stage.SCORE), file=file or io.StringIO())
    waiting = ["9 under way", "candidate: 4 asked, 2 waiting for the engine"]
    tally = {"candidate": MemberCost(completion=70, retries=2)}
    found.watch(lambda: tally, lambda: ["$0.12", *waiting, HOSTILE])
    for cell in made:
        output = OutputRecord(cell=cell.id, sample="s", payload_sha256="0" * 64, output=Output("x"))
        score = ScoreRecord(cell=cell.id, sample="s", output_sha256="0" * 64, values={"said": True})
        found.scored(cell, output, score)
    return found


def drawn(found: Progress, width: int) -> list[str]:
    """The live view as a terminal of this width shows it."""
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=True, color_system=None).print(found)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_live_view_is_whole_at_every_width(width: int) -> None:
    lines = drawn(progress([*SWEEP, *cells(Many)]), width)
    assert max(map(len, lines)) <= width
    words = " ".join(" ".join(lines).split())
    for told in ("5/400", "$0.12", "2 retries", "9 under way", "candidate: 4 asked, 2 waiting for the engine",
                 "next try 14:05", "words/spell turns=0 style=plain said 1.000"):  # fmt: skip
        assert told in words


def test_the_live_view_names_what_differs_between_cells_and_nothing_else() -> None:
    lines = drawn(progress(SWEEP), 80)
    assert [line.split("  ")[1] for line in lines if "said" in line] == [
        *("turns=0 style=plain", "turns=0 style=polite", "turns=25 style=plain", "turns=25 style=polite"),
    ]


def test_more_cells_than_fit_are_counted() -> None:
    many = cells(Spell, *({"turns": turns} for turns in range(12)))
    assert drawn(progress(many), 80)[-1] == "  and 4 more cells"


def test_an_endpoint_s_words_do_not_move_the_cursor() -> None:
    found = progress(SWEEP)
    assert all(line.isprintable() for line in [*drawn(found, 80), found.line()])


def test_a_line_tells_cells_apart() -> None:
    line = progress(SWEEP).line()
    assert "turns=0 style=plain   said 1.000" in line
    assert line.endswith("and 2 more cells")


async def test_what_is_under_way_is_told_by_role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drivers: list[Driver] = []

    class Watched(Driver):
        def __post_init__(self) -> None:
            super().__post_init__()
            drivers.append(self)

    monkeypatch.setattr("suite.run.crew.Driver", Watched)
    told: list[list[str]] = []

    async def answer(request: Request, asking: Any) -> str:
        await asyncio.sleep(0)
        told.append(drivers[0].under_way())
        return "fine"

    plan = plan_of({"candidate": "scripted/echo"}, cells(Many), limit=8, concurrency=1)
    scripted(answer, plan)
    await run(plan, tmp_path / "run")
    assert ["2 under way", "candidate: 1 asked, 1 waiting for the engine"] in told
    assert drivers[0].under_way() == []


def everything(master: int) -> str:
    """What was written to a terminal that is closed: it gives a few kB a read, and an error at its end."""
    with os.fdopen(master, "rb", buffering=0) as terminal:
        found = bytearray()
        with contextlib.suppress(OSError):
            while more := terminal.read(1 << 16):
                found += more
    return found.decode()


def test_on_a_terminal_the_view_is_redrawn_in_place_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as file:
        found = progress(SWEEP, file)
        with found:
            found._live.refresh()  # type: ignore[union-attr]
            found.say("a line that stays")
    shown = everything(master)
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", one) for one in re.split(r"[\r\n]+", shown)]
    assert any("turns=25 style=polite" in one for one in lines)
    assert max(map(len, lines)) <= 60
    assert "a line that stays" in lines
    assert shown.count("\x1b[1A") > len(drawn(found, 60))  # erased again, line by line
