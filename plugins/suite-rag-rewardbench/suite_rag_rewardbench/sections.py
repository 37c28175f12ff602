"""What the report says of a reward model beyond the table of metrics, and how far several agree.

Accuracies with intervals come from the results as computed; margins and agreement are read from the scores.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import suite
from suite_rag_rewardbench import margins

TASKS = ("rag-rewardbench", "reward-bench/v1", "reward-bench/v2")
LEAST_TO_CALIBRATE = 20
_SLICED = ("correct", "correct_by")
_WHOLE = (
    ("helpful_avg", "helpful group"),
    ("harmless_avg", "harmless group"),
    ("correct_macro", "mean of the subsets"),
    ("chat", "Chat"),
    ("chat_hard", "Chat Hard"),
    ("safety", "Safety"),
    ("reasoning", "Reasoning"),
    ("prior_sets", "prior sets"),
    ("overall_sections", "overall, sections"),
    ("overall_with_prior", "overall, with prior sets"),
    ("ties", "Ties"),
    ("overall", "overall"),
)
_HABITS = (
    ("longer_is_better", "the better answer is the longer one (data)"),
    ("prefers_longer", "prefers the longer answer"),
    ("prefers_first_slot", "prefers the answer shown first"),
    ("consistent", "prefers the same answer in both orders"),
    ("tie", "equal scores"),
    ("failed", "no verdict"),
    ("references_cut", "references cut"),
)
_BASELINES = {
    "baseline_longer": "longer wins",
    "baseline_shorter": "shorter wins",
    "baseline_citations": "more citation marks win",
}

Metrics = Sequence[suite.MetricResult]


@dataclass(frozen=True)
class Seen:
    """One cell of one run. credit: sample -> 1 won, 0 lost, between them tied. margins: of scored pairs."""

    task: str
    label: str
    metrics: Metrics
    credit: Mapping[str, float]
    margins: Sequence[float]


class RewardModels(suite.Analysis):
    """Accuracy by subset, habits, margins, calibration; agreement where several cells or runs are given."""

    name = "reward-models"
    title = "Reward models"
    tasks = TASKS

    def sections(self, runs: Sequence[suite.Run]) -> Iterator[suite.Section]:
        """One section a cell, and one a task that several models did."""
        seen = [one for run in runs for one in _cells(run)]
        for one in seen:
            yield suite.Section(f"{one.task}: {one.label}", tuple(_blocks(one)))
        for task in TASKS:
            same = [one for one in seen if one.task == task]
            if len(same) > 1:
                yield suite.Section(f"{task}: agreement", tuple(_agreement(same)))


def _cells(run: suite.Run) -> Iterator[Seen]:
    cells = [cell for cell in run.results.cells if cell.task in TASKS]
    known = {cell.cell for cell in cells}
    won: dict[str, dict[str, float]] = {one: {} for one in known}
    found: dict[str, list[float]] = {one: [] for one in known}
    for score in run.scores():
        if score.cell not in known:
            continue
        credit = score.values.get("correct_half", score.values.get("correct"))
        if isinstance(credit, int | float):
            won[score.cell][f"{score.sample}/{score.trial}"] = float(credit)
        margin = score.values.get("margin")
        if isinstance(margin, int | float):
            found[score.cell].append(float(margin))
    for cell in cells:
        one = cell.cell
        yield Seen(cell.task, _label(run, cell, cells), cell.metrics, won[one], found[one])


def name_of(run: suite.Run) -> str:
    """Who was measured; the run's name where nobody is named."""
    return (run.candidate.spec if run.candidate else "") or run.name


def _label(run: suite.Run, cell: suite.CellResult, cells: Sequence[suite.CellResult]) -> str:
    name = name_of(run)
    same = [one.parameters for one in cells if one.task == cell.task]
    swept = [key for key in cell.parameters if len({str(one.get(key)) for one in same}) > 1]
    told = ", ".join(f"{key}={cell.parameters[key]}" for key in swept)
    return f"{name} ({told})" if told else name


def _blocks(one: Seen) -> Iterator[Any]:
    yield _accuracies(one.metrics)
    yield from _beaten(one)
    habits = [row for name, title in _HABITS if (row := _row(title, _metric(one.metrics, name)))]
    if habits:
        yield suite.Table(("share of", "n", "value", "low", "high"), habits, title="Habits")
    yield from _margins(one)


def _metric(metrics: Metrics, name: str) -> suite.MetricResult | None:
    return next((one for one in metrics if one.name == name and not one.slice), None)


def _row(title: str, found: suite.MetricResult | None) -> tuple[suite.Shown, ...] | None:
    if found is None or found.value is None:
        return None
    return (title, found.n, found.value, found.low, found.high)


def _accuracies(metrics: Metrics) -> suite.Table:
    rows = [row for name, title in _WHOLE if (row := _row(title, _metric(metrics, name)))]
    whole = _row("all", _metric(metrics, "correct"))
    rows += [whole] if whole else []
    for one in metrics:
        if one.name in _SLICED and one.slice and "longer" not in one.slice:
            row = _row(" ".join(one.slice.values()), one)
            rows += [row] if row else []
    return suite.Table(("part", "n", "accuracy", "low", "high"), rows, title="Accuracy")


def _beaten(one: Seen) -> Iterator[suite.Text]:
    """Says where a rule without any model does better."""
    by_scenario = {
        (m.name, m.slice["scenario"]): m.value
        for m in one.metrics
        if "scenario" in m.slice and m.value is not None
    }
    for scenario in dict.fromkeys(scenario for _, scenario in by_scenario):
        own = by_scenario.get(("correct", scenario))
        rules = {
            title: by_scenario[name, scenario]
            for name, title in _BASELINES.items()
            if (name, scenario) in by_scenario
        }
        if own is None or not rules:
            continue
        best = max(rules, key=lambda title: rules[title])
        if own < rules[best]:
            yield suite.Text(
                f"{scenario}: accuracy {own:.3f} is below {rules[best]:.3f}, which the rule '{best}' gets "
                "without any model."
            )


def _margins(one: Seen) -> Iterator[Any]:
    if not one.margins:
        return
    points = margins.histogram(one.margins)
    yield suite.Plot(
        (suite.Line("pairs", points),),
        x="score of the better answer minus the other's",
        y="pairs",
        kind="histogram",
        title="Margins",
    )
    if len(one.margins) < LEAST_TO_CALIBRATE:
        return
    bins = margins.calibration(one.margins)
    if not bins:
        return
    yield suite.Plot(
        (suite.Line("observed", [(b.expected, b.observed) for b in bins]),),
        x="expected: mean of sigmoid(|margin|)",
        y="observed: the better answer won",
        y_range=(0.0, 1.0),
        title="Calibration of margins",
        diagonal=True,
    )
    yield suite.Table(
        ("pairs", "mean |margin|", "expected", "observed"),
        [(b.n, b.margin, b.expected, b.observed) for b in bins],
        title="Calibration of margins, read as log-odds",
    )
    yield suite.Facts({"expected calibration error": margins.calibration_error(bins)})


def _agreement(seen: Sequence[Seen]) -> Iterator[Any]:
    rows = []
    for a, b in combinations(seen, 2):
        found = margins.agreement(a.credit, b.credit)
        if found is None:
            continue
        counts = (found.both, found.first_only, found.second_only, found.neither)
        rows.append((a.label, b.label, found.n, found.same, found.kappa, *counts))
    if not rows:
        yield suite.Text("These models share no item that both decided.")
        return
    yield suite.Table(
        ("model", "other", "items", "same", "kappa", "both right", "only model", "only other", "neither"),
        rows,
        title="How often two models prefer the same",
    )


ANALYSIS = RewardModels()
