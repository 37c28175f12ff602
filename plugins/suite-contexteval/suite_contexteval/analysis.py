"""Sections of a report: what context changes, and whom responses serve.

Numbers with intervals come from the run's results; what they need beyond (flips of single queries, tests
between answers) is made from its scores. Values are those of the first trial.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import suite
from suite_contexteval import official
from suite_contexteval.metrics import CHANGES
from suite_contexteval.rows import PAPER_NAMES, SETTINGS

_SIDES = {1: "candidate", 0: "tie", -1: "baseline"}
SHOWN = 20  # tests between answers


class Settings(suite.Analysis):
    """Win rates by setting, queries whose winner changes, what position did, agreement of judges."""

    name = "contexteval-settings"
    title = "What context changes"
    tasks = ("contexteval/pairwise", "contexteval/judge")

    def sections(self, runs: Sequence[suite.Run]) -> Iterable[suite.Section]:
        """One section a run and task."""
        for run in runs:
            for task in self.tasks:
                cells = [one for one in run.results.cells if one.task == task]
                if cells:
                    yield suite.Section(self.title, tuple(_settings(run, _ordered(cells))))


def _ordered(cells: Iterable[suite.CellResult]) -> list[suite.CellResult]:
    return sorted(cells, key=lambda cell: SETTINGS.index(cell.parameters["setting"]))


def _settings(run: suite.Run, cells: Sequence[suite.CellResult]) -> Iterable[Any]:
    names = [_label(cell, cells) for cell in cells]
    wins = [cell.row("win") for cell in cells]
    shown = {x: one for x, one in enumerate(wins) if one and one.value is not None}
    if shown:
        line = suite.Line.of("win rate of the candidate", list(shown.values()), list(shown))
        yield suite.Plot([line], y="win rate (ties half)", kind="points", y_range=(0.0, 1.0), x_labels=names)
    yield suite.Table(
        ("setting", "win rate", "95 %", "pairs", "unscored", "official win", "official loss", "official tie"),
        [
            (
                name,
                _value(cell, "win"),
                _shown_interval(win),
                *((win.n, win.unscored) if win else (None, None)),
                *(_value(cell, f"{what}_official") for what in ("win", "loss", "tie")),
            )
            for name, cell, win in zip(names, cells, wins, strict=True)
        ],
        "Win rate of the candidate",
    )
    yield suite.Table(
        ("setting", "consistent", "first slot decides", "second slot decides", "position effect", "unread"),
        [
            (
                name,
                *(
                    _value(cell, f"win_{what}")
                    for what in ("consistent", "flip_first", "flip_second", "position_effect", "unparsed")
                ),
            )
            for name, cell in zip(names, cells, strict=True)
        ],
        "What position did",
    )
    yield suite.Table(
        ("setting", "percent", "alpha", "AC1", "official agreement", "without ties", "kappa (Randolph)"),
        [
            (
                name,
                *(_value(cell, f"vote_{what}") for what in ("percent", "alpha", "ac1")),
                _value(cell, "agreement_official"),
                _value(cell, "agreement_nontie_official"),
                _value(cell, "vote_official_randolph"),
            )
            for name, cell in zip(names, cells, strict=True)
        ],
        "Agreement of the judges (one judge agrees with nobody)",
    )
    yield from _flips(run, cells)


def _label(cell: suite.CellResult, cells: Sequence[suite.CellResult]) -> str:
    """The setting's name; with the cell's where a sweep over something else has it more than once."""
    setting = str(cell.parameters["setting"])
    name = PAPER_NAMES[setting]
    same = [one for one in cells if one.parameters["setting"] == setting]
    return name if len(same) == 1 else f"{name} ({cell.cell[:6]})"


def _flips(run: suite.Run, cells: Sequence[suite.CellResult]) -> Iterable[suite.Table]:
    """How the winner of single queries moves between settings, where each setting is there once."""
    by_setting = {cell.parameters["setting"]: cell.cell for cell in cells}
    if len(by_setting) < max(2, len(cells)):
        return
    sides: dict[str, dict[str, int]] = {cell: {} for cell in by_setting.values()}
    for score in run.scores():
        win = score.values.get("win")
        if score.cell in sides and score.trial == 0 and isinstance(win, int | float):
            sides[score.cell][score.sample] = (win > 0.5) - (win < 0.5)
    rows = []
    for before, after in CHANGES.values():
        if before in by_setting and after in by_setting:
            own, other = sides[by_setting[before]], sides[by_setting[after]]
            moves = Counter((own[name], other[name]) for name in own if name in other)
            for (one, two), count in sorted(moves.items(), key=lambda move: -move[1]):
                if one != two:
                    told = (PAPER_NAMES[before], PAPER_NAMES[after], _SIDES[one], _SIDES[two])
                    rows.append((*told, count, sum(moves.values())))
    if rows:
        columns = ("from", "to", "winner before", "winner after", "queries", "of")
        yield suite.Table(columns, rows, "Queries whose winner changes")


class Attributes(suite.Analysis):
    """Mean relevance by answer, the range within an attribute, tests between its answers."""

    name = "contexteval-attributes"
    title = "Whom responses serve"
    tasks = ("contexteval/default", "contexteval/adapted")

    def sections(self, runs: Sequence[suite.Run]) -> Iterable[suite.Section]:
        """One section a cell."""
        for run in runs:
            for cell in run.results.cells:
                if cell.task in self.tasks:
                    yield suite.Section(_cell_title(self.title, cell), tuple(_attributes(run, cell)))


def _cell_title(title: str, cell: suite.CellResult) -> str:
    adapt = cell.parameters.get("adapt")
    if adapt is None:
        return f"{title} by default"
    return f"{title} when {'adapted' if adapt else 'not adapted'}"


def _attributes(run: suite.Run, cell: suite.CellResult) -> Iterable[Any]:
    means = [one for one in cell.metrics if one.name == "relevance" and "answer" in one.slice]
    by_attribute: dict[str, list[tuple[float, suite.MetricResult]]] = {}
    for one in means:
        if one.value is not None:
            by_attribute.setdefault(one.slice["answer"].partition(": ")[0], []).append((one.value, one))
    if not by_attribute:
        yield suite.Text("No response was rated.")
        return
    yield suite.Table(
        ("answer", "relevance (1 to 5)", "95 %", "queries"),
        [
            (one.slice["answer"], value, _shown_interval(one), one.n)
            for rows in by_attribute.values()
            for value, one in sorted(rows, key=lambda row: -row[0])
        ],
        "Mean relevance",
    )
    yield suite.Table(
        ("attribute", "served best", "served worst", "range of means"),
        [
            (name, *_ends(best[1], worst[1]), best[0] - worst[0])
            for name, rows in by_attribute.items()
            for best, worst in [(max(rows, key=lambda row: row[0]), min(rows, key=lambda row: row[0]))]
        ],
        "Range within an attribute",
    )
    if tests := _between(run, cell):
        kept = sorted(tests, key=lambda row: row[-1] if isinstance(row[-1], float) else 2.0)[:SHOWN]
        columns = ("answer", "other answer", "difference", "queries", "p", "p (Holm)")
        title = f"Paired tests between answers ({len(tests)} in all, corrected for as many)"
        yield suite.Table(columns, kept, title)


def _between(
    run: Any, cell: suite.CellResult
) -> list[tuple[str, str, float, int, float | None, float | None]]:
    """Paired t-tests between the answers of each attribute, over the queries that both were rated on."""
    answers = {}
    if cell.task == "contexteval/adapted":
        answers = {
            one.sample: one.tags["answer"]
            for one in run.outputs()
            if one.cell == cell.cell and one.trial == 0
        }
    rated: dict[str, dict[str, float]] = {}
    for score in run.scores():
        if score.cell != cell.cell or score.trial != 0:
            continue
        if cell.task == "contexteval/adapted":
            found = [(answers.get(score.sample), score.values.get("relevance"))]
        else:
            found = [(part.tags.get("answer"), part.values.get("relevance")) for part in score.parts]
        query = score.sample.partition("/")[0]
        for answer, value in found:
            if answer and isinstance(value, int | float):
                rated.setdefault(answer, {})[query] = float(value)
    rows = []
    for one, two in combinations(sorted(rated), 2):
        if one.partition(": ")[0] != two.partition(": ")[0]:
            continue
        common = [query for query in rated[one] if query in rated[two]]
        x, y = [rated[one][query] for query in common], [rated[two][query] for query in common]
        if common:
            test = official.paired_t(x, y)
            difference = sum(x) / len(x) - sum(y) / len(y)
            rows.append((one, two, difference, len(common), None if test is None else test.p))
    corrected = suite.adjust([row[4] for row in rows])
    return [(*row, p) for row, p in zip(rows, corrected, strict=True)]


def _ends(best: suite.MetricResult, worst: suite.MetricResult) -> tuple[str | None, str | None]:
    """The answers served best and worst; none where all are served alike."""
    if best.value == worst.value:
        return None, None
    return _answer(best), _answer(worst)


def _answer(row: suite.MetricResult) -> str:
    return str(row.slice["answer"].partition(": ")[2])


def _value(cell: suite.CellResult, name: str) -> float | None:
    found = cell.row(name)
    return None if found is None else found.value


def _shown_interval(row: suite.MetricResult | None) -> str | None:
    if row is None or row.low is None:
        return None
    return f"{row.low:.3f} to {row.high:.3f}"


SETTINGS_SECTIONS = Settings()
ATTRIBUTE_SECTIONS = Attributes()
