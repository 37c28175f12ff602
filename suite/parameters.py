"""A task's knobs and rows: frozen pydantic models with unknown keys forbidden.

A parameter is a *solve* parameter (part of the cell's identity) unless declared with `at_score`.
A validator may raise `SkipCell` to leave an impossible combination out of a sweep.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from suite.chat import Json

ValueT = TypeVar("ValueT")
_canonical = msgspec.json.Encoder(order="sorted")


class Parameters(BaseModel):
    """Base of a task's parameters. Every field needs a default; values are JSON.

    Its help text, which `suite tasks show` prints, is its `description`, or a docstring below it.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=False, ser_json_inf_nan="null", use_attribute_docstrings=True
    )

    @classmethod
    def over(cls, preset: Mapping[str, Json], given: Mapping[str, Json]) -> dict[str, Json]:
        """The values of a preset's cell with those given by `-P` on top.

        Where one parameter follows from another, leave out of `preset` here what `given` decides.
        """
        return {**preset, **given}

    @classmethod
    def at_score_names(cls) -> frozenset[str]:
        """Names of the parameters that change scoring only."""
        return cls._marked("at_score")

    @classmethod
    def local_names(cls) -> frozenset[str]:
        """Names of the parameters that name something of the machine at hand, as a program or a file."""
        return cls._marked("local")

    @classmethod
    def _marked(cls, mark: str) -> frozenset[str]:
        return frozenset(
            name
            for name, field in cls.model_fields.items()
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get(mark)
        )

    def solve_values(self) -> dict[str, Json]:
        """All solve parameters with their values, as JSON, without those of `added` at their defaults."""
        usual = {
            name
            for name in self._marked("added")
            if getattr(self, name) == type(self).model_fields[name].default
        }
        return self.model_dump(mode="json", exclude={*self.at_score_names(), *usual})

    def score_values(self) -> dict[str, Json]:
        """All at-score parameters with their values, as JSON."""
        return self.model_dump(mode="json", include=set(self.at_score_names()))


class Payload(BaseModel):
    """Base of a typed row or payload: frozen; keys the model does not name are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SkipCell(Exception):
    """Raised by a parameter validator: this combination makes no sense and is left out, with the reason.

    Not a ValueError on purpose: pydantic lets it through unwrapped.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def at_score(default: ValueT, *, local: bool = False, **field: object) -> ValueT:
    """Declare a parameter that changes scoring only: `suite score RUN -P name=…` may set it anew.

    local: its value names something of this machine (a program, a file). Nobody else can check a score that
    rests on it, and a stranger's must never be used: such runs are not packed, such bundles not replayed.
    """
    declared: Callable[..., ValueT] = Field
    marks = {"at_score": True, "local": True} if local else {"at_score": True}
    return declared(default, json_schema_extra=marks, **field)


def added(default: ValueT, **field: object) -> ValueT:
    """Declare a parameter that is younger than results: at its default it is left out of records and of the
    cell's identity, so that runs from before keep their cells and go on being compared.
    """
    declared: Callable[..., ValueT] = Field
    return declared(default, json_schema_extra={"added": True}, **field)


def payload_json(payload: object) -> bytes:
    """A payload as canonical JSON. Raises TypeError or ValueError for one that is none."""
    if isinstance(payload, BaseModel):
        return payload.__pydantic_serializer__.to_json(payload)
    return _canonical.encode(payload)


def varying(cells: Sequence[Mapping[str, Json]]) -> dict[str, list[str]]:
    """Parameters of cells that differ, in the order of the first cell: the value that each cell has."""
    names = dict.fromkeys(name for cell in cells for name in cell)
    columns = {name: [repr(cell.get(name)) for cell in cells] for name in names}
    return {name: values for name, values in columns.items() if len(set(values)) > 1}


def distinguishing(cells: Sequence[Mapping[str, Json]]) -> tuple[str, ...]:
    """Names of the parameters that tell cells apart, without redundant ones, in the order of the first cell.

    cells: all parameters of each cell (solve and score). Redundant: determined by one that is kept, as
    paper_turns is by inter_turns; of two that determine each other the earlier one is kept.
    """
    columns = varying(cells)
    kept = dict(columns)
    for name in reversed(columns):  # later ones go first
        others = (values for other, values in kept.items() if other != name)
        if any(len(set(zip(one, kept[name], strict=True))) == len(set(one)) for one in others):
            del kept[name]
    return tuple(kept)
