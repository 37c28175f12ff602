"""Rows of the data files: lenient in shape, strict in what may be scored.

A row is never refused for what it lacks: it becomes an item with a `problem`, which is shown, counted and
never scored, but for the `_official` values of what upstream scores without a look. Aliases of other
people's copies are read: `rejected` for `reject`, messages for texts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import model_validator

import suite

_ALIASES = {"rejected": "reject", "rejected_model": "reject_model"}


def text_of(value: Any) -> str | None:
    """A text: as it is, the last assistant message of a conversation, or None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        said = [
            one.get("content") for one in value if isinstance(one, Mapping) and one.get("role") == "assistant"
        ]
        return said[-1] if said and isinstance(said[-1], str) else None
    return None


def prompt_of(value: Any) -> str | None:
    """A prompt: as it is, or a list of texts joined by newlines; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and value and all(isinstance(one, str) for one in value):
        return "\n".join(value)
    return None


# What upstream puts to the model all the same, and counts.
_COUNTED_UPSTREAM = ("empty-answer", "equal-answers")


def askable(problem: str) -> bool:
    """Whether an item is put to the model: without a problem, or with one that upstream doesn't look for."""
    return not problem or problem in _COUNTED_UPSTREAM


def problem_of(missing: Sequence[str], good: Sequence[str], bad: Sequence[str]) -> str:
    """What makes answers unfit to be scored, as "reason: detail", or ""."""
    if missing:
        return f"missing-field: {', '.join(missing)}"
    if any(not one.strip() for one in (*good, *bad)):
        return "empty-answer"
    if set(good) & set(bad):
        return "equal-answers"
    return ""


class RagRow(suite.Payload):
    """A row of RAG-RewardBench. `reject` is the field's published name. None: missing, or not a text.

    scenario: from the file's name; "" in a file that does not say.
    """

    prompt: str | None = None
    question: str | None = None
    chosen: str | None = None
    chosen_model: str | None = None
    reject: str | None = None
    reject_model: str | None = None
    subset: str | None = None
    scenario: str = ""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        row = {_ALIASES.get(name, name): one for name, one in value.items()}
        for name in ("chosen", "reject"):
            row[name] = text_of(row.get(name))
        row["prompt"] = prompt_of(row.get("prompt"))
        for name in ("question", "chosen_model", "reject_model", "subset"):
            row[name] = row.get(name) if isinstance(row.get(name), str) else None
        return row

    def problem(self) -> str:
        """Why it cannot be scored, or ""."""
        names = ("prompt", "question", "chosen", "chosen_model", "reject", "reject_model", "subset")
        missing = [name for name in names if getattr(self, name) is None]
        missing += [name for name in ("prompt", "question") if (getattr(self, name) or "x").strip() == ""]
        return problem_of(missing, [self.chosen or ""], [self.reject or ""])


class Said(suite.Payload):
    """A message of a prompt that is a conversation."""

    role: str
    content: str


class PairRow(suite.Payload):
    """A row of RewardBench or of a prior set, where the prompt is a conversation."""

    prompt: str | tuple[Said, ...] | None = None
    chosen: str | None = None
    rejected: str | None = None
    subset: str = ""
    id: int | str = ""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        row = dict(value)
        for name in ("chosen", "rejected"):
            row[name] = text_of(row.get(name))
        if not _is_prompt(row.get("prompt")):
            row["prompt"] = None
        return row

    def problem(self) -> str:
        """Why it cannot be scored, or ""."""
        missing = [name for name in ("prompt", "chosen", "rejected") if getattr(self, name) in (None, ())]
        return problem_of(missing, [self.chosen or ""], [self.rejected or ""])

    def messages(self) -> tuple[suite.Message, ...]:
        """The prompt as messages."""
        if isinstance(self.prompt, str):
            return (suite.user(self.prompt),)
        makers = {"user": suite.user, "assistant": suite.assistant, "system": suite.system}
        return tuple(makers.get(one.role, suite.user)(one.content) for one in self.prompt or ())


def _is_prompt(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    return isinstance(value, Sequence) and all(
        isinstance(one, Mapping) and isinstance(one.get("role"), str) and isinstance(one.get("content"), str)
        for one in value
    )


def _texts(value: Any) -> tuple[str, ...] | None:
    """A list of texts that is not empty, or None."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        return None
    return tuple(value) if all(isinstance(one, str) for one in value) else None


class ManyRow(suite.Payload):
    """A row of RewardBench 2: several correct and incorrect answers."""

    id: int | str = ""
    prompt: str | None = None
    chosen: tuple[str, ...] | None = None
    rejected: tuple[str, ...] | None = None
    num_correct: int | None = None
    subset: str = ""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        row = dict(value)
        if not isinstance(row.get("prompt"), str) or not row["prompt"].strip():
            row["prompt"] = None
        for name in ("chosen", "rejected"):
            row[name] = _texts(row.get(name))
        return row

    def problem(self, form: str) -> str:
        """Why it cannot be scored, or "". form: best-of-n, ref or tied."""
        missing = [name for name in ("prompt", "chosen", "rejected") if getattr(self, name) is None]
        good, bad = self.chosen or (), self.rejected or ()
        problem = problem_of(missing, good, bad)
        if problem:
            return problem
        if self.num_correct is not None and self.num_correct != len(good):
            return f"wrong-count: num_correct is {self.num_correct}, chosen holds {len(good)}"
        if form == "tied" and len(good) < 2:
            return "malformed-ties: a tied prompt with one correct answer"
        if form != "tied" and len(good) != 1:
            return f"wrong-count: {len(good)} chosen answers"
        return ""
