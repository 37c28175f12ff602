"""Places for entries, and their sources on loopback servers."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from local_git import LocalGit
from local_hub import LocalHub, commit_of
from small_registry import COMMIT, QUESTIONS, SCHEMA, Place, jsonl, listed


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty registry with one row schema."""
    ours = {
        "SUITE_CACHE": str(tmp_path / "cache"),
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    # The client reads HF_HOME once, at import: without this, tests share the cache of whoever runs them.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf/hub"))
    found = Place(tmp_path / "registry", tmp_path / "cache")
    (found.folder / "datasets").mkdir(parents=True)
    found.schema("question.json", SCHEMA)
    return found


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """A Hub with one dataset, ours/questions: one small file, one that acts as a large one."""
    folder = tmp_path / "hub/datasets/ours/questions"
    (folder / "data").mkdir(parents=True)
    (folder / "data/test.jsonl").write_bytes(jsonl(QUESTIONS))
    (folder / "data/train.jsonl").write_bytes(jsonl(QUESTIONS * 200))
    with LocalHub(tmp_path / "hub", lfs_from=100_000) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture
def hub_entry(place: Place, hub: LocalHub) -> Callable[..., None]:
    """Writes the entry of the Hub's dataset, pinned as it is now; arguments replace parts of it."""

    def write(**told: Any) -> None:
        folder = hub.root / "datasets/ours/questions"
        source = {"kind": "hub", "repo": "ours/questions", "revision": commit_of(folder)}
        parts = {
            "test": {"format": "jsonl", "schema": "question.json", "rows": 20},
            "train": {"format": "jsonl", "schema": "question.json", "rows": 4000},
        }
        files = [
            listed(f"data/{part}.jsonl", (folder / f"data/{part}.jsonl").read_bytes(), part=part)
            for part in parts
        ]
        place.entry("questions", **{"source": source, "parts": parts, "files": files, **told})

    return write


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalGit]:
    """A Git host with one repository: two topics of questions."""
    folder = tmp_path / "git/ours/questions" / COMMIT
    (folder / "data").mkdir(parents=True)
    for topic, rows in (("space", QUESTIONS[:12]), ("time", QUESTIONS[12:])):
        (folder / f"data/{topic}.json").write_text(json.dumps(rows))
    with LocalGit(tmp_path / "git", heads={"main": COMMIT}) as server:
        monkeypatch.setenv("SUITE_GIT_ENDPOINT", server.url)
        yield server


@pytest.fixture
def git_entry(place: Place, git: LocalGit) -> Callable[..., None]:
    """Writes the entry of the Git host's repository; arguments replace parts of it."""

    def write(**told: Any) -> None:
        folder = git.root / "ours/questions" / COMMIT
        source = {
            "kind": "git",
            "repo": "ours/questions",
            "url_template": "https://files.example/ours/questions/{commit}/{path}",
            "clone_url": "https://git.example/ours/questions.git",
            "commit": COMMIT,
        }
        part = {
            "format": "json-array",
            "schema": "question.json",
            "rows": 20,
            "derived": {"topic": "file-stem", "index": "row-index"},
        }
        files = [
            listed(f"data/{topic}.json", (folder / f"data/{topic}.json").read_bytes(), part="all")
            for topic in ("space", "time")
        ]
        place.entry("questions", **{"source": source, "parts": {"all": part}, "files": files, **told})

    return write
