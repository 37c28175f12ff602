"""The official rows as typed records: `big_swe_if`, `live_swe_if` and `vericode`.

Each keeps the fields of its base benchmark as stored (JSON inside strings) and decodes them on
demand. Two traps are dealt with here: tables read through Arrow give every parameter mapping the keys
of all rows, and LiveCodeBench's hidden tests come as a pickle, which is read without unpickling.
"""

import base64
import binascii
import json
import pickletools
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import Field, field_validator

import suite
from suite_vibechecker.conversation import Kind
from suite_vibechecker.vericode import Instruction, instruction

LARGEST_TESTS = 512 << 20  # bytes of decoded tests of one problem; more is a bomb


class Requirement(suite.Payload):
    """One instruction of a problem as stored: prompts with their parameters already in them."""

    instruction_idx: str
    generation_prompt: str
    edit_prompt: str
    parameters: dict[str, Any] = Field(default_factory=dict)

    @field_validator("parameters", mode="before")
    @classmethod
    def _mapping(cls, value: Any) -> Any:
        """Parameters are a mapping, its JSON text, or nothing at all."""
        return json.loads(value) if isinstance(value, str) and value else value or {}

    @property
    def instruction(self) -> Instruction:
        """The row of the table. Raises NotFound for an unknown id."""
        return instruction(self.instruction_idx)

    def known_parameters(self) -> dict[str, Any]:
        """The parameters that the instruction has; absent ones and other rows' keys are dropped."""
        return self.instruction.known(self.parameters)


class BigRow(suite.Payload):
    """A row of `big_swe_if`: a BigCodeBench problem with its instructions in the order of evaluation."""

    task_id: str
    instruct_prompt: str
    complete_prompt: str = ""
    canonical_solution: str = ""
    code_prompt: str
    test: str
    entry_point: str
    libs: str = "[]"
    instruction_list: tuple[Requirement, ...]

    @property
    def kind(self) -> Kind:
        """Always "big"."""
        return "big"

    @property
    def reference(self) -> str:
        """The whole reference solution."""
        return f"{self.complete_prompt}\n{self.canonical_solution}"

    def libraries(self) -> tuple[str, ...]:
        """Modules the problem needs; the field is a Python or JSON list in a string."""
        text = self.libs.replace("'", '"')
        return tuple(str(name) for name in json.loads(text or "[]"))


class Case(NamedTuple):
    """One test of a Live problem. kind is "stdin" or "functional"."""

    input: str
    output: str
    kind: str


class LiveRow(suite.Payload):
    """A row of `live_swe_if`: a LiveCodeBench problem with its instructions in the order of evaluation."""

    question_id: str
    question_title: str
    question_content: str
    platform: str
    contest_id: str = ""
    contest_date: str = ""
    starter_code: str = ""
    difficulty: str
    public_test_cases: str
    private_test_cases: str
    metadata: str = "{}"
    instruction_list: tuple[Requirement, ...]

    @property
    def kind(self) -> Kind:
        """How it is run: "stdin" if any public test reads standard input, else "functional"."""
        return "stdin" if any(case.kind == "stdin" for case in self.public()) else "functional"

    def public(self) -> tuple[Case, ...]:
        """The tests shown with the problem."""
        return _cases(self.public_test_cases, self.question_id)

    def private(self) -> tuple[Case, ...]:
        """The hidden tests. Raises DataError if they can't be decoded."""
        return _cases(hidden_tests(self.private_test_cases, self.question_id), self.question_id)

    def function_name(self) -> str:
        """The name of the method in the original problem, "" if none (the protocol asks for `solve`)."""
        return str(json.loads(self.metadata or "{}").get("func_name") or "")


class VeriCodeRow(suite.Payload):
    """A row of the `vericode` config: the official wording of one instruction."""

    id: str = Field(alias="ID")
    category: str = Field(alias="Category")
    description: str = Field(alias="Description")
    generation_prompt: str = Field(alias="Generation_Prompt")
    edit_prompt: str = Field(alias="Edit_Prompt")
    parameters: Any = Field(default=None, alias="Parameters")
    notes: str | None = Field(default=None, alias="Notes")


def hidden_tests(stored: str, where: str) -> str:
    """JSON text of LiveCodeBench's hidden tests: stored as such, or base64 of zlib of a pickled string.

    Nothing is unpickled: the pickle may hold one string and nothing else, and is read opcode by opcode.
    Raises DataError for anything else.
    """
    if stored.lstrip().startswith("["):
        return stored
    try:
        packed = base64.b64decode(stored, validate=True)
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(packed, LARGEST_TESTS)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise suite.DataError(f"{where}: hidden tests can't be unpacked", where=str(error)) from error
    if unpacker.unconsumed_tail:
        raise suite.DataError(f"{where}: hidden tests unpack to more than {LARGEST_TESTS >> 20} MiB")
    return pickled_text(data, where)


_FRAME = frozenset({"PROTO", "FRAME", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "STOP"})
_TEXT = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"})


def pickled_text(data: bytes, where: str) -> str:
    """The one string in a pickle, without running it.

    Raises DataError if the pickle holds anything but one string.
    """
    texts: list[str] = []
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name in _TEXT:
                texts.append(str(argument))
            elif opcode.name not in _FRAME:
                raise suite.DataError(f"{where}: the pickled tests hold {opcode.name}, not one string")
    except ValueError as error:
        raise suite.DataError(f"{where}: the pickled tests are damaged", where=str(error)) from error
    if len(texts) != 1:
        raise suite.DataError(f"{where}: the pickled tests hold {len(texts)} strings, not one")
    return texts[0]


def _cases(text: str, where: str) -> tuple[Case, ...]:
    try:
        rows: Sequence[Mapping[str, str]] = json.loads(text)
        return tuple(Case(row["input"], row["output"], row["testtype"]) for row in rows)
    except (ValueError, KeyError, TypeError) as error:
        raise suite.DataError(
            f"{where}: tests are not a list of input, output and testtype", where=repr(error)
        ) from error
