"""What an audit's numbers mean: the bias profile of a judge, as sections of its report."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from suite.blocks import Block, Line, Plot, Section, Shown, Table, Text
from suite.journal.documents import MetricResult
from suite.journal.run import Run
from suite.scoring.analysis import Analysis
from suite.scoring.audit.biases import BIASES, CHANCE, TESTS

TASK = "judge-audit/biases"
WORDS = {
    "first_slot": "takes the answer shown first",
    "second_slot": "takes the answer shown second",
    "longer": "takes the longer of two answers that say the same",
    "shorter": "takes the shorter of two answers that say the same",
    "bandwagon": "takes what most people are said to prefer",
    "distraction": "takes the answer about which something idle is said",
    "own_label": "takes the answer that is called its own",
    "own_answer": "takes its own answer over a sound one",
}
QUALITY = "own_answer", "shorter"  # may be right: chance is no yardstick for them


class Profile(Analysis):
    """One table and one plot for each run's cell."""

    name: ClassVar[str] = "judge-audit"
    title: ClassVar[str] = "Bias profile of a judge"
    tasks: ClassVar[tuple[str, ...]] = (TASK,)

    def sections(self, runs: Sequence[Run]) -> Iterable[Section]:
        """A section a cell."""
        for run in runs:
            for cell in run.results.cells:
                if cell.task == TASK:
                    rows = {row.name: row for row in cell.metrics if not row.slice}
                    valid = {row.slice["test"]: row for row in cell.metrics if row.slice}
                    yield Section(self.title, tuple(profile(rows, valid)))


def verdict(name: str, low: float | None, high: float | None) -> str:
    """What an interval says of a bias: shown, not shown, or open."""
    if low is None or high is None:
        return "no verdicts"
    if name in QUALITY:
        return "may be right" if low > CHANCE else "not shown"
    if low > CHANCE:
        return "shown"
    return "below chance" if high < CHANCE else "not shown"


def profile(rows: Mapping[str, MetricResult], valid: Mapping[str, MetricResult]) -> Iterator[Block]:
    """The profile from rows of results: whole rows by name, and `valid` by test."""
    lines: list[tuple[Shown, ...]] = []
    for test, names in TESTS.items():
        for name in names:
            row = rows.get(name)
            if row is None or name not in BIASES:
                continue
            share = valid[test].value if test in valid else None
            said = verdict(name, row.low, row.high)
            lines.append((WORDS[name], said, row.value, row.low, row.high, row.n, share))
    sound = rows.get("sound")
    told = (sound.value, sound.low, sound.high) if sound else (None, None, None)
    among, low, high = map(_percent, told)
    yield Text(
        f"Of pairs with one sound and one wrong answer it names the sound one both ways in {among} (interval "
        f"{low} to {high}). A judge that flips a coin does so in {CHANCE:.0%}, and shows each bias below in "
        f"{CHANCE:.0%} of the pairs."
    )
    columns = ("the judge …", "bias", "share", "low", "high", "pairs", "with both verdicts")
    yield Table(columns, lines)
    shown = [rows[name] for name in BIASES if name in rows and rows[name].value is not None]
    yield Plot(
        [Line.of("share of pairs", shown)],
        y="share of pairs",
        kind="points",
        y_range=(0.0, 1.0),
        x_labels=[row.name.replace("_", " ") for row in shown],
        title="Biases with their intervals",
    )
    yield Text(
        "Each pair is put to the judge twice; a bias is a choice that follows the bait both times. Low "
        "shares beside few valid verdicts mean nothing. Its own answer, and the shorter one, may really be "
        "better."
    )


def _percent(value: float | None) -> str:
    return "no share" if value is None else f"{value:.0%}"


PROFILE = Profile()
