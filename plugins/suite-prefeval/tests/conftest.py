"""PrefEval's data as a task sees it, bundled and published, and models to script."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from suite_prefeval.generation import Generation

import suite
from suite.testing import ScriptedModel, task_data

CAPABILITIES = {"chat", "complete", "continue_final", "rank"}
FOLDERS = {
    "explicit": "explicit",
    "implicit-choice": "implicit_choice",
    "implicit-persona": "implicit_persona",
    "mcq": "mcq_options",
}


def rows_of(folder: Path) -> Iterator[Mapping[str, object]]:
    """The rows of a folder of upstream's, with topic and index as the registry derives them."""
    for path in sorted(folder.glob("*.json")):
        for index, one in enumerate(json.loads(path.read_text("utf-8"))):
            yield {"topic": path.stem, "index": index, **one}


@pytest.fixture(scope="session")
def mini() -> suite.Data:
    """The bundled data."""
    return task_data(Generation)


@pytest.fixture(scope="session")
def published() -> Path:
    """The published data, where somebody has put it beside the checkout."""
    folder = Path(__file__).resolve().parents[3] / "../shared/data/prefeval"
    if not folder.is_dir():
        pytest.skip("the published data is not beside this checkout")
    return folder


@pytest.fixture
def real(published: Path) -> suite.Data:
    """The published data as a task sees it."""
    between = json.loads((published / "filtered_inter_turns.json").read_text("utf-8"))
    parts = {part: rows_of(published / folder) for part, folder in FOLDERS.items()}
    return task_data(given={"prefeval": {**parts, "inter-turns": between}})


@pytest.fixture
def scripted() -> Callable[..., ScriptedModel]:
    """A model without guided replies, by its name and a function of the request."""

    def make(member: str, answer: Callable[[suite.Request], suite.Reply]) -> ScriptedModel:
        return ScriptedModel(answer, member, capabilities=CAPABILITIES)

    return make
