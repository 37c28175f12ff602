"""Journals after power cuts and damage: a run goes on to an unbroken run's results, or says why it cannot."""

import asyncio
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from power_cuts import Disk, after_cut
from small_tasks import Spell, cells, plan_of, run, without_times

import suite.files
import suite.journal.journal_file
from suite.errors import RunError
from suite.journal.documents import Results
from suite.journal.run import Run
from suite.run.plan import Plan

Whole = tuple[Path, Results]  # a run's folder, its results


class Three(Spell):
    """Three samples with histories so long that they are kept as lists of blocks."""

    words = 3


def make_plan() -> Plan:
    return plan_of({"candidate": "scripted/echo", "judge": "scripted/echo"}, cells(Three, {"turns": 20}))


def resume(folder: Path) -> Results:
    """The results of a run that goes on, its journals read as a stranger reads them."""
    outcome = asyncio.run(run(make_plan(), folder))
    assert outcome.error is None
    reader = Run(folder)
    for journal in reader.journals():
        for call in journal.calls:
            journal.blocks.request(call)
    return without_times(outcome.results)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUITE_CACHE", str(tmp_path_factory.mktemp("cache")))
        folder = tmp_path_factory.mktemp("whole") / "run"
        yield folder, resume(folder)


@pytest.fixture(autouse=True)
def _lazy_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is flushed counts in the simulation alone: hundreds of runs need not wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)


def journals(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jsonl"))


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_is_mended_or_named(whole: Whole, tmp_path: Path, data: st.DataObject) -> None:
    folder, results = whole
    broken = tmp_path / "run"
    shutil.rmtree(broken, ignore_errors=True)
    shutil.copytree(folder, broken)
    path = data.draw(st.sampled_from(journals(broken)))
    lines = path.read_bytes().splitlines(keepends=True)
    number = data.draw(st.integers(0, len(lines) - 1))
    kind = data.draw(st.sampled_from(["remove", "flip", "suffix"]))
    if kind == "remove":
        del lines[number]
    elif kind == "flip":
        at = data.draw(st.integers(0, len(lines[number]) - 1))
        line = bytearray(lines[number])
        line[at] ^= 1 << data.draw(st.integers(0, 7))
        lines[number] = bytes(line)
    content = b"".join(lines)
    if kind == "suffix":
        content = content[: data.draw(st.integers(0, len(content)))]
    path.write_bytes(content)
    try:
        assert resume(broken) == results
    except RunError as error:
        assert kind == "flip"
        assert f"{path.name} line {number + 1}" in str(error)


def test_every_beginning_of_each_journal_goes_on(whole: Whole, tmp_path: Path) -> None:
    folder, results = whole
    for path in journals(folder):
        lines = path.read_bytes().splitlines(keepends=True)
        for kept in range(len(lines)):
            broken = tmp_path / "run"
            shutil.copytree(folder, broken)
            (broken / path.relative_to(folder)).write_bytes(b"".join(lines[:kept]))
            assert resume(broken) == results
            shutil.rmtree(broken)


def test_power_cuts_at_any_moment_invent_and_lose_nothing(
    whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, folder = whole[1], tmp_path / "run"
    disk = Disk(folder)
    replace = Path.replace
    with monkeypatch.context() as patch:
        patch.setattr(suite.files, "os", disk)
        patch.setattr(suite.journal.journal_file, "os", disk)

        def renamed(old: Path, new: Path) -> Path:
            disk.renamed(old, new)
            return replace(old, new)

        patch.setattr(Path, "replace", renamed)
        assert resume(folder) == results
    assert {path.name for path in folder.rglob("*.json*")} <= {Path(one.path).name for one in disk.changes}
    chance = random.Random(4)
    for _ in range(300):
        shutil.rmtree(folder)
        left = after_cut(disk.changes[: chance.randint(1, len(disk.changes))], chance)
        for name, content in left.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(content)
        assert resume(folder) == results


def test_records_without_their_manifest_are_not_taken_for_this_plan(whole: Whole, tmp_path: Path) -> None:
    shutil.copytree(whole[0], tmp_path / "run")
    (tmp_path / "run" / "manifest.json").unlink()
    outcome = None
    with pytest.raises(RunError, match=r"there is no manifest\.json to say of which plan"):
        outcome = asyncio.run(run(make_plan(), tmp_path / "run"))
    assert outcome is None


@pytest.mark.parametrize(
    "name", ["manifest.json", "outputs.jsonl", "calls.jsonl", "blocks.jsonl", "attempts.jsonl"]
)
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_regular_file_is_neither_read_nor_followed(
    whole: Whole, tmp_path: Path, name: str, kind: str
) -> None:
    shutil.copytree(whole[0], tmp_path / "run")
    path, victim = tmp_path / "run" / name, tmp_path / "victim"
    victim.write_bytes(path.read_bytes()[:-1] if kind == "link" else b"")
    before = victim.read_bytes()
    path.unlink()
    made: dict[str, Callable[[], None]] = {
        "link": lambda: path.symlink_to(victim),
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
    }
    made[kind]()
    try:
        assert resume(tmp_path / "run") == whole[1]
    except RunError as error:
        assert name in str(error)
    assert victim.read_bytes() == before


@pytest.mark.parametrize("name", ["results.json.part", "manifest.json.part", ".lock"])
def test_traps_beside_what_is_written_are_not_followed(whole: Whole, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    shutil.copytree(whole[0], tmp_path / "run")
    (scoring,) = (tmp_path / "run" / "scorings").iterdir()
    (scoring / "results.json").unlink()
    folder = scoring if name.startswith("results") else tmp_path / "run"
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(victim)
    if name == ".lock":
        with pytest.raises(RunError, match="symbolic link"):
            resume(tmp_path / "run")
    else:
        assert resume(tmp_path / "run") == whole[1]
    assert victim.read_text() == "mine"


def test_a_finished_run_is_shown_where_nothing_can_be_written(
    whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(whole[0], tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in sorted((tmp_path / "run").rglob("*"))}
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # as on a read-only disk
    assert resume(tmp_path / "run") == whole[1]
    assert {path: path.stat().st_mtime_ns for path in sorted((tmp_path / "run").rglob("*"))} == before


BROKEN = [
    "", "{", "[]", '{"format": "suite-run/1"}', '{"format": "suite-run/1", "cells": 5}', "[" * 99999,
    '{"format": "suite-run/1", "cells": [1], "counts": {"samples": {}}}',
]  # fmt: skip


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_manifest_is_named(tmp_path: Path, body: str) -> None:
    (tmp_path / "manifest.json").write_text(body)
    with pytest.raises(RunError, match=r"manifest\.json"):
        Run(tmp_path)
