"""Data and models for PrefEval's tests: folders of JSON files, and a scripted model behind the contract."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from suite_prefeval import __file__ as package

import suite

RowT = TypeVar("RowT")
MINI = Path(package).parent / "mini"
REAL = Path(__file__).resolve().parents[3] / "../shared/data/prefeval"
FOLDERS = {
    "explicit": "explicit",
    "implicit-choice": "implicit_choice",
    "implicit-persona": "implicit_persona",
    "mcq": "mcq_options",
}


class Folder:
    """`suite.Data` over a folder of upstream's layout, without a registry."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def rows(self, name: str, row: type[RowT], part: str | None = None) -> Iterator[RowT]:
        assert part is not None
        if part == "inter-turns":
            for one in json.loads((self.root / "filtered_inter_turns.json").read_text("utf-8")):
                yield row(**one)
            return
        for path in sorted((self.root / FOLDERS[part]).glob("*.json")):
            for index, one in enumerate(json.loads(path.read_text("utf-8"))):
                yield row(**{"topic": path.stem, "index": index, **one})

    def file(self, name: str, path: str) -> Path:
        return self.root / path

    def has(self, name: str, part: str | None = None) -> bool:
        return True


class Scripted(suite.Model):
    """A model that answers by a function of the request and keeps what it was asked."""

    def __init__(self, member: str, answer: Callable[[suite.Request], suite.Reply]) -> None:
        self.member = self.name = member
        self.capabilities = self.chosen = frozenset({"chat", "rank"})
        self.answer = answer
        self.asked: list[suite.Request] = []

    async def ask(self, request: suite.Request, key: str = "") -> suite.Reply:
        self.asked.append(request)
        return self.answer(request)

    async def rate_answers(
        self, messages: tuple[suite.Message, ...], answers: tuple[str, ...], kind: str, key: str
    ) -> suite.Ratings:
        raise NotImplementedError


@pytest.fixture
def mini() -> Folder:
    """The bundled data."""
    return Folder(MINI)


@pytest.fixture
def real() -> Folder:
    """The published data, where somebody has put it beside the checkout."""
    if not REAL.is_dir():
        pytest.skip("the published data is not beside this checkout")
    return Folder(REAL)


@pytest.fixture
def scripted() -> type[Scripted]:
    """A model to script."""
    return Scripted
