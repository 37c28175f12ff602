"""A judge's share corrected by human labels: the numbers a report may show beside the judge's own.

From a file with the judge's verdict of every sample and a human label of some: agreement, sensitivity and
specificity, the share by prediction-powered inference, and the Rogan-Gladen correction.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from suite.blocks import Block, Line, Plot, Section, Table, Text
from suite.chat import Json
from suite.data.text_files import TABLES, Once, csv_rows, json_rows
from suite.errors import ConfigError, DataError
from suite.scoring.stats.agreement import RatingTable, agreement, largest_cohen
from suite.scoring.stats.clusters import Clusters, clusters_of, floats, subset
from suite.scoring.stats.corrected import Corrected, RoganGladen, ppi_mean, rogan_gladen
from suite.scoring.stats.estimate import Estimate
from suite.scoring.stats.means import covering_mean

FORMAT = "suite-corrected/1"
YES = {"1", "1.0", "true", "yes", "good", "first"}
NO = {"0", "0.0", "false", "no", "bad", "second"}


@dataclass(frozen=True)
class CorrectedJudge:
    """n: samples; labelled: with a human label. agreement: by coefficient. sensitivity, specificity: of the
    judge on the labelled. ppi: the share of yes in all samples. rogan_gladen: it from error rates alone.
    """

    n: int
    labelled: int
    agreement: Mapping[str, Estimate]
    sensitivity: Estimate
    specificity: Estimate
    ppi: Corrected
    rogan_gladen: RoganGladen


def read_labels(path: Path) -> tuple[list[float | None], list[float | None], list[str] | None]:
    """(human, judge, clusters) of a CSV or JSON Lines file with the columns human, judge and perhaps cluster.

    Values: yes or no, in the usual words; empty is missing. Raises DataError naming the line.
    """
    human: list[float | None] = []
    judge: list[float | None] = []
    clusters: list[Json] = []
    once = Once("sample", fix="leave one of the rows out: a sample counts once")
    table = path.suffix.lower() in TABLES
    for one in csv_rows(path)[1] if table else json_rows(path):
        row, place = one.value, f"{path.name} {one.place}"
        if row.get("id") not in (None, ""):
            once.add(str(row["id"]), place)
        for name in ("human", "judge"):
            if name not in row:
                raise DataError(f"{place} has no {name!r}", fix="columns: human, judge, cluster")
        human.append(_value(row["human"], f"{place}, human"))
        judge.append(_value(row["judge"], f"{place}, judge"))
        clusters.append(row.get("cluster"))
    if not judge:
        raise DataError(f"{path.name} holds no rows")
    return human, judge, None if None in clusters or "" in clusters else [str(one) for one in clusters]


def _value(value: object, where: str) -> float | None:
    text = "" if value is None else str(value).strip().lower()
    if not text:
        return None
    if text in YES:
        return 1.0
    if text in NO:
        return 0.0
    raise DataError(f"{where}: {value!r} is neither yes nor no", fix="write 1 or 0, yes or no, or nothing")


def correct(
    human: Sequence[float | None],
    judge: Sequence[float | None],
    clusters: Sequence[str] | None = None,
    *,
    level: float = 0.95,
) -> CorrectedJudge:
    """Correct the share of yes. human: labels of a random part of the samples, None elsewhere.

    Raises ConfigError where nothing was judged or labelled.
    """
    y, f = floats(human), floats(judge)
    judged, both = ~np.isnan(f), ~(np.isnan(y) | np.isnan(f))
    if not judged.any():
        raise ConfigError("the judge has no verdict", "judge correct")
    if not both.any():
        raise ConfigError(
            "no sample has a human label and a verdict", "judge correct", "label a random part of the samples"
        )
    yes, no = both & (y == 1), both & (y == 0)
    hits, rejections = f[yes] == 1, f[no] == 0

    def own(among: NDArray[np.bool_]) -> Clusters:
        return clusters_of(subset(clusters, among), int(among.sum()))

    return CorrectedJudge(
        n=len(y),
        labelled=int(both.sum()),
        agreement=_agreement(np.column_stack([y, f])[both], own(both), level),
        sensitivity=covering_mean(hits * 1.0, own(yes), binary=True, level=level),
        specificity=covering_mean(rejections * 1.0, own(no), binary=True, level=level),
        ppi=ppi_mean(human, judge, clusters, level=level),
        rogan_gladen=rogan_gladen(
            *(int((f == 1).sum()), int(judged.sum())),
            *(int(hits.sum()), len(hits)),
            *(int(rejections.sum()), len(rejections)),
            level=level,
        ),
    )


COEFFICIENTS = ("percent", "alpha", "ac1", "randolph", "fleiss", "cohen")


def _agreement(pairs: NDArray[np.float64], own: Clusters, level: float) -> dict[str, Estimate]:
    """Coefficients of agreement; the largest kappa that the margins allow has no interval."""
    table, n = RatingTable(pairs.astype(np.int64), 2), len(pairs)
    found = {
        name: replace(agreement(name, "nominal", table, own, level), n=n, clusters=own.count)
        for name in COEFFICIENTS
    }
    value, note = largest_cohen(table)
    note = note if own.count > 1 or value is None else "one cluster"
    return {**found, "cohen-max": Estimate(value, level=level, n=n, clusters=own.count, note=note)}


def sections(found: CorrectedJudge) -> list[Section]:
    """For a report: the corrected share first, then how good the judge is."""
    return [
        Section("Share of yes, corrected for the judge", tuple(_share(found))),
        Section("The judge against people", tuple(_judge(found))),
    ]


def _share(found: CorrectedJudge) -> Iterator[Block]:
    ppi = found.ppi
    estimates = {
        "prediction-powered (PPI++)": ppi.estimate,
        "Rogan-Gladen": found.rogan_gladen.estimate,
        "human labels alone": ppi.human,
        "judge alone, uncorrected": ppi.judge,
    }
    first = {"estimate": "prediction-powered (PPI++)", "human": "human labels alone"}.get(ppi.shown)
    yield Text(f"Quote: {first or 'judge alone, uncorrected'}." + (f" Note: {ppi.note}." if ppi.note else ""))
    if found.n > ppi.judge.n:
        yield Text(f"{found.n - ppi.judge.n} of {found.n} samples have no verdict and are left out.")
    rows = [
        (name, one.value, one.low, one.high, one.n, one.method, one.note) for name, one in estimates.items()
    ]
    yield Table(("estimate", "share", "low", "high", "n", "method", "note"), rows)
    shown = {name: one for name, one in estimates.items() if one.value is not None}
    yield Plot(
        [Line.of("share", list(shown.values()))], y="share of yes", kind="points", x_labels=list(shown)
    )
    yield Text(
        "PPI++ needs labels of a random part of these samples. Rogan-Gladen also takes labels of other "
        "samples, if the judge errs alike on both."
    )


def _judge(found: CorrectedJudge) -> Iterator[Block]:
    rows = {
        "sensitivity": found.sensitivity,
        "specificity": found.specificity,
        **{f"agreement, {name}": one for name, one in found.agreement.items()},
    }
    shown = [(name, one.value, one.low, one.high, one.n, one.note) for name, one in rows.items()]
    yield Table(("", "value", "low", "high", "n", "note"), shown)


def as_data(found: CorrectedJudge) -> dict[str, object]:
    """As plain data."""
    return {"format": FORMAT, **asdict(found)}
