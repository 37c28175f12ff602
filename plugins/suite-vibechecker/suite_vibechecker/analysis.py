"""The benchmark's part of a report, read from a finished run: one section for each of its tasks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import suite
from suite_vibechecker.parameters import Protocol
from suite_vibechecker.sections import Answer, Cell, Checked, section

TASKS = ("vibechecker/big", "vibechecker/live")


class VibeChecker(suite.Analysis):
    """Following and passing against the number of instructions, for both protocols."""

    name = "vibechecker"
    title = "Following instructions, and still working"
    tasks = TASKS

    def sections(self, runs: Sequence[suite.Run]) -> Iterable[suite.Section]:
        """A section for each task of each run that has answers."""
        for run in runs:
            plans = {cell.cell: cell for cell in run.manifest.cells if cell.task in TASKS}
            answers: dict[str, list[Answer]] = defaultdict(list)
            for record in run.scores():
                if record.cell in plans:
                    answers[record.cell].append(answer_of(record))
            for task in TASKS:
                cells = [
                    Cell(*_shape(one.parameters), tuple(answers[name]))
                    for name, one in plans.items()
                    if one.task == task and answers[name]
                ]
                if cells:
                    found = section(cells)
                    yield suite.Section(f"{found.title}: {task}", found.blocks)


def _shape(parameters: Mapping[str, object]) -> tuple[Protocol, int]:
    mode, k = parameters["mode"], parameters["k"]
    return "multi" if mode == "multi" else "single", k if isinstance(k, int) else 0


def answer_of(record: suite.ScoreRecord) -> Answer:
    """One answer from its score record; what is unscored stays None."""
    checks = tuple(
        Checked(
            part.tags["instruction"],
            _flag(part.values, "followed"),
            bool(_flag(part.values, "followed_official")),
            bool(_flag(part.values, "applicable")),
        )
        for part in sorted(record.parts, key=lambda part: int(part.tags["position"]))
    )
    return Answer(_flag(record.values, "passed"), checks)


def _flag(values: Mapping[str, suite.Value], name: str) -> bool | None:
    value = values.get(name)
    return value if isinstance(value, bool) else None


analysis = VibeChecker()
