"""Models and records for the tests of scoring."""

from collections.abc import Callable, Collection

import pytest

from suite.chat import Reply, Request
from suite.journal.records import OutputRecord, ScoreRecord
from suite.roles import Model
from suite.task import Output, Part, Value
from suite.testing import ScriptedModel

Answer = Callable[[Request], Reply | str]


@pytest.fixture
def scripted() -> Callable[..., ScriptedModel]:
    """A factory of models: a function of the request, a text, or texts in turn."""

    def make(
        answer: Answer | str | list[str | Reply],
        *,
        capabilities: Collection[str] = ("chat",),
        member: str = "judge",
        chosen: Collection[str] = (),
        reference: Model | None = None,
    ) -> ScriptedModel:
        return ScriptedModel(answer, member, capabilities=capabilities, chosen=chosen, reference=reference)

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
            cell=cell,
            sample=sample,
            trial=trial,
            group=sample,
            cluster=cluster or sample,
            tags=tags or {},
            payload_sha256="0" * 64,
            output=Output("text"),
        )
        score = ScoreRecord(
            cell=cell, sample=sample, trial=trial, output_sha256="0" * 64, values=values, parts=parts or []
        )
        return output, score

    return make
