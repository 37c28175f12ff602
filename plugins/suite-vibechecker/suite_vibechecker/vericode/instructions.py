"""The table of the 30 instructions, typed, and what follows from a row by itself.

The rows are data (`instructions.toml`); here they become `Instruction` objects with their prompts
filled in and their parameters checked. Not here: checking any code (`checks`).
"""

import hashlib
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

import msgspec

import suite

Category = Literal["style", "logic", "documentation", "error", "library"]
ParameterValue = int | str

CATEGORY_TITLES: Mapping[str, str] = {
    "style": "Coding Style & Conventions",
    "logic": "Logic & Code Patterns",
    "documentation": "Documentation & Commenting",
    "error": "Error Handling & Exception Management",
    "library": "Library & API Constraints",
}


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The one knob of an instruction.

    values: what may be asked for. reconstructed: the range is ours, the source states none.
    """

    name: str
    default: ParameterValue
    values: tuple[ParameterValue, ...]
    reconstructed: bool = False


class Instruction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the table; see the head of `instructions.toml`."""

    id: str
    category: Category
    meaning: str
    generation: str
    edit: str
    select: tuple[str, ...] = ()
    preview: bool = False
    options: tuple[str, ...] = ()
    parameter: Parameter | None = None

    def defaults(self) -> dict[str, ParameterValue]:
        """Parameters at their defaults."""
        return {self.parameter.name: self.parameter.default} if self.parameter else {}

    def known(self, raw: Mapping[str, Any] | None) -> dict[str, Any]:
        """The parameters this instruction has, without those that are absent (None).

        A table read through Arrow fills every row with the union of all rows' keys, as None, and one that
        went through pandas has turned its integers into floats.
        """
        name = self.parameter.name if self.parameter else None
        return {
            key: int(value) if isinstance(value, float) and value.is_integer() else value
            for key, value in (raw or {}).items()
            if key == name and value is not None
        }

    def problem(self, parameters: Mapping[str, Any]) -> str:
        """Why the verifier cannot take these parameters, or "". Missing ones take their default."""
        for name, value in parameters.items():
            if self.parameter is None or name != self.parameter.name:
                return f"{self.id} has no parameter {name!r}"
            wanted = type(self.parameter.default)
            if type(value) is not wanted:
                return f"{self.id}: {name} is {value!r}, not {'a number' if wanted is int else 'a name'}"
            if isinstance(value, int) and not 0 <= value <= 10_000:
                return f"{self.id}: {name} is {value}, outside 0 to 10000"
            if isinstance(value, str) and value not in self.parameter.values:
                return f"{self.id}: {name} is {value!r}; known: {', '.join(map(str, self.parameter.values))}"
        return ""

    def repaired(self, raw: Mapping[str, Any] | None) -> dict[str, ParameterValue]:
        """Parameters fit for use: unknown keys dropped, values outside the range back to the default."""
        repaired = self.defaults()
        if self.parameter:
            value = self.known(raw).get(self.parameter.name)
            if isinstance(value, str) and isinstance(self.parameter.default, int) and value.isascii():
                value = int(value) if value.isdigit() else None
            if type(value) is type(self.parameter.default) and value in self.parameter.values:
                repaired[self.parameter.name] = value
        return repaired

    def prompts(self, parameters: Mapping[str, Any]) -> tuple[str, str]:
        """Generation and edit prompt with the parameters put in, by plain substitution."""
        values = {**self.defaults(), **parameters}
        return fill(self.generation, values), fill(self.edit, values)

    def ruff_arguments(self, parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """Arguments of `ruff check` that state this instruction; () for those checked without ruff."""
        if not self.select:
            return ()
        values = {**self.defaults(), **parameters}
        preview = ("--preview",) if self.preview else ()
        return ("--select", ",".join(self.select), *preview, *(fill(one, values) for one in self.options))


def fill(template: str, values: Mapping[str, Any]) -> str:
    """A template with `{name}` replaced by plain substitution, as the authors' release does."""
    for name, value in values.items():
        template = template.replace("{" + name + "}", str(value))
    return template


def _text() -> str:
    return files(__package__).joinpath("instructions.toml").read_text("utf-8")


@lru_cache(maxsize=1)
def instructions() -> Mapping[str, Instruction]:
    """All 30 instructions by id, in the order of the table."""
    rows = msgspec.convert(tomllib.loads(_text())["instruction"], list[Instruction])
    return MappingProxyType({row.id: row for row in rows})


def instruction(name: str) -> Instruction:
    """The instruction with that id.

    Raises NotFound with the nearest names.
    """
    table = instructions()
    if name not in table:
        near = ", ".join(one for one in table if one.partition("_")[0] == name.partition("_")[0])
        raise suite.NotFound(
            f"no instruction named {name!r}",
            fix=f"known: {near or ', '.join(table)} (see `suite vericode list`)",
        )
    return table[name]


def rules_sha256() -> str:
    """Digest over what is checked (ids, rule codes, options): equal digests mean equal verdicts."""
    rows = [(one.id, one.select, one.preview, one.options) for one in instructions().values()]
    return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()
