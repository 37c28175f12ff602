"""A model for judges' tests: the real contract over the real scripted engine, every request kept."""

from collections.abc import Callable

import pytest

from suite.chat import Message, Reply, Request
from suite.journal.records import OutputRecord, ScoreRecord
from suite.models.engine import Asking
from suite.models.scripted import ScriptedEngine
from suite.roles import Model, Ratings
from suite.scoring.answer_ratings import rate_answers
from suite.task import Output, Part, Value


class Scripted(Model):
    """One member of a role, answered by a function."""

    def __init__(
        self, engine: ScriptedEngine, member: str, chosen: frozenset[str], reference: Model | None
    ) -> None:
        self.member = member
        self.name = engine.spec.text
        self.capabilities = engine.capabilities()
        self.chosen = chosen
        self.requests: list[Request] = []
        self._engine = engine
        self._reference = reference

    async def ask(self, request: Request, key: str = "") -> Reply:
        self.requests.append(request)
        return await self._engine.call(request, Asking(member=self.member, key=key))

    async def rate_answers(
        self, messages: tuple[Message, ...], answers: tuple[str, ...], kind: str, key: str
    ) -> Ratings:
        return await rate_answers(self, messages, answers, kind, key, self._reference)


Answer = Callable[[Request], Reply | str]


@pytest.fixture
def scripted() -> Callable[..., Scripted]:
    """A factory of models: a function of the request, a text, or texts in turn."""

    def make(
        answer: Answer | str | list[str | Reply],
        *,
        capabilities: set[str] | None = None,
        member: str = "judge",
        chosen: set[str] | None = None,
        reference: Model | None = None,
    ) -> Scripted:
        replies = iter(answer) if isinstance(answer, list) else None

        def function(request: Request, _: Asking) -> Reply | str:
            if replies is not None:
                return next(replies)
            return answer if isinstance(answer, str) else answer(request)  # type: ignore[operator]

        engine = ScriptedEngine(function, capabilities=capabilities or {"chat"})
        return Scripted(engine, member, frozenset(chosen or ()), reference)

    return make


Record = tuple[OutputRecord, ScoreRecord]


@pytest.fixture
def record() -> Callable[..., Record]:
    """A factory of an output and its score."""

    def make(
        sample: str,
        values: dict[str, Value],
        *,
        cell: str = "c",
        trial: int = 0,
        cluster: str = "",
        tags: dict[str, str] | None = None,
        parts: list[Part] | None = None,
    ) -> Record:
        output = OutputRecord(
            cell, sample, trial, sample, cluster or sample, tags or {}, "0" * 64, Output("text")
        )
        return output, ScoreRecord(cell, sample, trial, "0" * 64, values, parts or [])

    return make
