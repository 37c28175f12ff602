"""From what a scorer gave to the values of a score, and whether the mean is the one that the tool printed.

A value is a number, or unscored with a reason: never a zero in silence. What a scorer of right and wrong
gives beside 0 and 1, and a grade outside of 0 to 1, is unscored. Cells that a file declares are `Cell`s here.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import suite

Scale = Literal["rate", "grade", "gain", "loss", "number"]
Record = dict[str, suite.Json]

# inspect_ai.scorer.value_to_float: letters and words that stand for numbers
WORDS = {"c": 1.0, "p": 0.5, "i": 0.0, "n": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
NEAR = 1e-6  # of a printed mean, relative
TEXT = 1000  # characters of what a scorer said about a value


class PrintedMean(NamedTuple):
    """A mean that a file tells. part: whose samples; "" for all. reducer: of epochs; "" for their mean."""

    value: float
    part: str = ""
    reducer: str = ""


@dataclass
class ImportedCell:
    """One value of one task. printed: the means that the file tells, if they are of samples. parts: samples
    have the tag `part`. met: (sample, epoch) that has a record.
    """

    scale: Scale
    parameters: Record
    printed: list[PrintedMean] = field(default_factory=list)
    parts: bool = False
    means: dict[str, list[float]] = field(default_factory=dict)
    part_of: dict[str, str] = field(default_factory=dict)
    met: set[tuple[str, int]] = field(default_factory=set)
    odd: dict[str, int] = field(default_factory=dict)

    @property
    def named(self) -> Record:
        """The task and the parameters of a record."""
        parts = "-parts" if self.parts and self.scale != "number" else ""
        return {"task": f"imported/{self.scale}{parts}", "parameters": self.parameters}

    @property
    def shown(self) -> str:
        """Task, scorer and filter."""
        return " ".join(
            str(self.parameters[one]) for one in ("task", "scorer", "filter") if self.parameters[one]
        )

    def score(self, value: suite.Json, sample: str, reason: str = "", part: str = "") -> Record:
        """The values of a score, noted for the mean. reason: that the file gives for a missing one."""
        found = number(value)
        self.part_of[sample] = part
        if isinstance(found, str):
            why = reason or found
        elif self.scale == "rate" and found not in (0.0, 1.0):
            why = "neither 0 nor 1"
        elif self.scale == "grade" and not 0.0 <= found <= 1.0:
            why = "not from 0 to 1"
        else:
            self.means.setdefault(sample, []).append(found)
            return {"score": bool(found) if self.scale == "rate" else found}
        self.odd[why] = self.odd.get(why, 0) + 1
        return {"score": {"unscored": why}}

    def notes(self) -> Iterator[Record]:
        """What a reader must know: values that are missing, a mean that is another one than the tool's."""
        for why, count in self.odd.items():
            yield {"note": f"{self.shown}: {count:,} values are unscored: {why}"}
        each = {sample: math.fsum(one) / len(one) for sample, one in self.means.items()}
        for one in self.printed:
            known = [mean for sample, mean in each.items() if one.part in ("", self.part_of.get(sample))]
            mean = math.fsum(known) / max(len(known), 1)
            if known and not math.isclose(mean, one.value, rel_tol=NEAR, abs_tol=NEAR):
                name = f"{self.shown}, part {one.part}" if one.part else self.shown
                told = f"{one.value:.6g}" + (f" by {one.reducer} of epochs" if one.reducer else "")
                whole = f"the samples' mean is {mean:.6g}, the file prints {told}"
                yield {"note": f"{name}: {whole}; the run has the samples'"}


def number(value: suite.Json) -> float | str:
    """A scorer's value as a number, or why it is none."""
    if isinstance(value, str):
        text = value.strip().lower()
        try:
            value = WORDS[text] if text in WORDS else float(text)
        except ValueError:
            return f"no number but {text[:40]!r}"
    if value is None:
        return "no value"
    if not isinstance(value, int | float):
        return f"no number but a {'list' if isinstance(value, list) else 'mapping'}"
    try:
        found = float(value)
    except OverflowError:
        return "infinite"
    return found if math.isfinite(found) else "not a number" if math.isnan(found) else "infinite"


def mapping(value: object) -> Record:
    """A JSON object, or {} for anything else."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[suite.Json]:
    """A JSON array, or the value alone; [] for null."""
    return value if isinstance(value, list) else [] if value is None else [value]  # type: ignore[list-item]


def tags(found: Mapping[str, suite.Json], most: int = 20, longest: int = 80) -> dict[str, str]:
    """The short plain values of a sample's metadata."""
    plain = {name: str(one) for name, one in found.items() if isinstance(one, str | int | bool)}
    return dict([(name, one) for name, one in plain.items() if one and len(one) <= longest][:most])
