"""The mini problems and a scripted candidate behind the contract, without a runner."""

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any, TypeVar

import pytest
from suite_vibechecker.rows import BigRow, LiveRow

import suite

RowT = TypeVar("RowT")


def read(name: str) -> list[dict[str, Any]]:
    text = files("suite_vibechecker").joinpath("mini", f"{name}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="session")
def big_rows() -> list[BigRow]:
    return [BigRow.model_validate(row) for row in read("big")]


@pytest.fixture(scope="session")
def live_rows() -> list[LiveRow]:
    return [LiveRow.model_validate(row) for row in read("live")]


class Candidate(suite.Model):
    """Answers by a function of the request; keeps every question, told apart as the runner does."""

    member = name = "candidate"
    capabilities = chosen = frozenset({"chat"})

    def __init__(self, answer: Callable[[suite.Request], suite.Reply]) -> None:
        self.answer = answer
        self.asked: list[tuple[suite.Request, str]] = []

    async def ask(self, request: suite.Request, key: str = "") -> suite.Reply:
        self.asked.append((request, key))
        return self.answer(request)

    async def rate_answers(self, *_: Any) -> suite.Ratings:
        raise NotImplementedError


@pytest.fixture
def candidate() -> type[Candidate]:
    return Candidate


class Folder:
    """`suite.Data` over the bundled mini problems."""

    def rows(self, name: str, row: type[RowT], part: str | None = None) -> Iterator[RowT]:
        for one in read(name.removeprefix("vibechecker-")):
            yield row(**one)

    def has(self, name: str, part: str | None = None) -> bool:
        return True


@pytest.fixture
def mini() -> Folder:
    return Folder()
