"""What runs of UserBench show together: what was brought out when, the baselines' bounds, best of k trials.

Single numbers and their intervals are in the general report. Not here: one episode (`showing`).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import suite
from suite_userbench import bounds
from suite_userbench.parameters import TravelParameters

TASK = "userbench/travel"
BASELINES = "scripted/suite_userbench.baselines:"
_TOTALS = (
    "score",
    "best_exist_rate",
    "correct_exist_rate",
    "elicited",
    "elicited_active",
    "elicited_passive",
)
_DECIDING = {
    "user", "mode", "tags", "split", "max_steps", "outage_every", "proactive_after", "wrong", "noise",
    "compat",
}  # fmt: skip


class Sections(suite.Analysis):
    """See the module."""

    name = "userbench"
    title = "UserBench: what was brought out, and the bounds"
    tasks: tuple[str, ...] = (TASK,)

    def sections(self, runs: Sequence[suite.Run]) -> Iterable[suite.Section]:
        """One section over all given runs that played the task."""
        playing = [run for run in runs if any(cell.task == TASK for cell in run.results.cells)]
        if playing:
            yield suite.Section("Preferences brought out, and bounds", tuple(_blocks(playing)))


def _blocks(runs: Sequence[suite.Run]) -> Iterable[suite.Block]:
    yield suite.Text(
        "Every score here holds for the simulated user named beside it. Scenarios called userbench-synth "
        "are not "
        "the published ones."
    )
    lines = [line for run in runs for line in _curves(run)]
    if lines:
        yield suite.Plot(
            lines,
            x="turn",
            y="preferences brought out, share of all",
            title="Preferences brought out by turn",
            y_range=(0.0, 1.0),
        )
    yield _bounds(runs)
    if rows := [row for run in runs for row in _best_of(run)]:
        yield suite.Table(
            ("candidate", "cell", "trials k", "best-of-k score", "mean score"), rows, title="Best of k trials"
        )


def candidate(run: suite.Run) -> str:
    """Who was measured; a baseline by its name."""
    spec = run.candidate.spec if run.candidate else ""
    if spec.startswith(BASELINES):
        return f"baseline: {spec.removeprefix(BASELINES).partition('?')[0]}"
    return spec


def _played_by(run: suite.Run) -> str:
    """The model that plays the user, where one does."""
    return "".join(f" by {one.spec}" for one in run.manifest.roles.get("user", ()))


def _cells(run: suite.Run) -> dict[str, suite.CellRecord]:
    """Cell -> its entry in the manifest."""
    return {cell.cell: cell for cell in run.manifest.cells if cell.task == TASK}


def _label(cell: suite.CellRecord) -> str:
    parameters = cell.parameters
    swept = [f"{name}={parameters.get(name)}" for name in cell.swept if name not in ("mode", "user")]
    return ", ".join([str(parameters["mode"]), f"user {parameters['user']}", *swept])


def _curves(run: suite.Run) -> list[suite.Line]:
    """One line a cell: the share of all preferences brought out up to each turn."""
    cells = _cells(run)
    brought: dict[str, dict[int, int]] = {name: defaultdict(int) for name in cells}
    total: dict[str, int] = defaultdict(int)
    for record in run.outputs():
        if record.cell not in cells or not isinstance(record.output.data, dict):
            continue
        total[record.cell] += record.output.data.get("preferences", 0)
        for event in record.output.data.get("events", ()):
            if event.get("elicited"):
                brought[record.cell][event["turn"]] += 1
    lines = []
    for name, cell in cells.items():
        if not total[name]:
            continue
        sum_so_far, points = 0, [(0.0, 0.0)]
        steps = cell.parameters["max_steps"]
        for turn in range(1, (steps if isinstance(steps, int) else 0) + 1):
            sum_so_far += brought[name][turn]
            points.append((float(turn), sum_so_far / total[name]))
        lines.append(suite.Line(f"{candidate(run)} ({_label(cell)})", points))
    return lines


def _bounds(runs: Sequence[suite.Run]) -> suite.Table:
    rows: list[tuple[str | float | None, ...]] = []
    for run in runs:
        facts = {name: cell.facts for name, cell in _cells(run).items()}
        for cell in run.results.cells:
            if cell.task != TASK:
                continue
            values = {one.name: one.value for one in cell.metrics if not one.slice}
            told = facts.get(cell.cell, {})
            rows.append(
                (
                    candidate(run),
                    str(cell.parameters["mode"]),
                    str(told.get("user", cell.parameters["user"])) + _played_by(run),
                    told.get("scenarios", ""),
                    *(values.get(name) for name in _TOTALS),
                )
            )
    rows.sort(key=lambda row: not str(row[0]).startswith("baseline"))
    theirs = [
        (name, parameters.mode, user, "", *(values.get(total) for total in _TOTALS))
        for parameters, user in _played(runs)
        for name, values in _rows_of(parameters)
    ]
    return suite.Table(
        ("candidate", "mode", "user", "scenarios", *_TOTALS), [*theirs, *rows], title="Beside the bounds"
    )


def _played(runs: Sequence[suite.Run]) -> list[tuple[TravelParameters, str]]:
    """The distinct settings that bounds depend on, with the user's name."""
    found: dict[str, tuple[TravelParameters, str]] = {}
    for run in runs:
        for cell in _cells(run).values():
            parameters = TravelParameters.model_validate(cell.parameters)
            kept = parameters.model_dump_json(include=_DECIDING)
            found.setdefault(kept, (parameters, parameters.user))
    return list(found.values())


def _rows_of(parameters: TravelParameters) -> list[bounds.Row]:
    brute = bounds.brute_asking(parameters)
    return [*bounds.theory(parameters), *([brute] if brute else [])]


def _best_of(run: suite.Run) -> list[tuple[str, str, int, float, float]]:
    """Best and mean over trials, averaged over scenarios; only where there are trials."""
    cells = _cells(run)
    scores: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in cells}
    for record in run.scores():
        value = record.values.get("score")
        if record.cell in scores and isinstance(value, int | float):
            scores[record.cell][record.sample].append(float(value))
    rows = []
    for name, samples in scores.items():
        k = min(map(len, samples.values()), default=0)
        if k > 1:
            best = sum(max(values) for values in samples.values()) / len(samples)
            mean = sum(sum(values) / len(values) for values in samples.values()) / len(samples)
            rows.append((candidate(run), _label(cells[name]), k, best, mean))
    return rows


analysis = Sections()
