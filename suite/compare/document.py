"""A comparison as plain data: its JSON form."""

from dataclasses import asdict

from suite.compare.comparison import Compared
from suite.compare.differences import MeasureRow
from suite.compare.runs import candidate_of

FORMAT = "suite-compare/1"


def as_data(found: Compared) -> dict[str, object]:
    """The comparison as plain data."""
    return {
        "format": FORMAT,
        "level": found.wanted.level,
        "alpha": found.wanted.alpha,
        "correction": found.wanted.correction,
        "family": found.family,
        "margin": found.wanted.margin,
        "runs": [
            {
                "label": label,
                "run": run.name,
                "scoring": run.scoring,
                "candidate": candidate_of(run),
                "plan_sha256": run.manifest.plan_sha256,
            }
            for label, run, _ in found.runs
        ],
        "differences": [
            {"a": part.a, "b": part.b, **asdict(one)} for part in found.parts for one in part.differences
        ],
        "comparisons": [_row_data(row) for row in found.rows],
        "slices": [
            {
                **_which(one.row),
                **{name: value for name, value in asdict(one.found).items() if name != "interval"},
                "p_corrected": one.corrected,
            }
            for one in found.slices
        ],
        "disagreements": [
            {"a": part.a, "b": part.b, **asdict(one)} for part in found.parts for one in part.disagreements
        ],
    }


def _which(row: MeasureRow) -> dict[str, object]:
    return {
        "a": row.a,
        "b": row.b,
        "task": row.match.task,
        "cell_a": row.match.cell_a,
        "cell_b": row.match.cell_b,
        "metric": row.measure.name,
    }


def _row_data(row: MeasureRow) -> dict[str, object]:
    return {
        **_which(row),
        "parameters": dict(row.match.parameters),
        "differing": {name: list(pair) for name, pair in row.match.differing.items()},
        "headline": row.headline,
        "direction": row.measure.direction,
        "value_a": row.found.a,
        "value_b": row.found.b,
        **asdict(row.found.comparison),
        "p_corrected": row.corrected,
        "verdict": row.verdict,
        "equivalent": row.equivalent,
        "only_a": row.found.only_a,
        "only_b": row.found.only_b,
        "note": row.found.note,
    }
