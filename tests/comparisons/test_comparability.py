from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from suite.blocks import Table
from suite.comparisons.comparison import Compared, ComparisonWanted, compare_runs
from suite.comparisons.sections import sections
from suite.errors import ConfigError
from suite.plugins import Catalogue


def scores(index: int, trial: int) -> dict[str, bool]:
    return {"kept": index % 2 == 0}


OTHER_DATA = {"tiny": {"entry": "tiny", "revision": "b" * 40, "files": {"x": "2" * 64}}}
JUDGE = {"roles": {"judge": [{"spec": "vllm/judge", "identity": {"revision": "1"}, "sampling": {}}]}}
JUDGE_2 = {"roles": {"judge": [{"spec": "vllm/judge", "identity": {"revision": "2"}, "sampling": {}}]}}


def run_both(
    write_run: Callable[..., Any],
    plugins: Catalogue,
    first: dict[str, Any],
    second: dict[str, Any],
    **wanted: Any,
) -> Compared:
    a, b = write_run("a", scores, **first), write_run("b", scores, **second)
    return compare_runs([str(a), str(b)], ComparisonWanted(**wanted), plugins)


REFUSED = [
    ({}, {"data": OTHER_DATA}, "data tiny"),
    ({"scoring": JUDGE}, {"scoring": JUDGE_2}, "judge"),
    ({"scoring": JUDGE}, {}, "judge"),
]


@pytest.mark.parametrize(("first", "second", "named"), REFUSED)
def test_what_measures_something_else_is_refused_and_named(
    write_run: Callable[..., Any],
    plugins: Catalogue,
    first: dict[str, dict[str, dict[str, list[Any]]]],
    second: dict[str, Any],
    named: str,
) -> None:
    with pytest.raises(ConfigError, match="not comparable") as caught:
        run_both(write_run, plugins, first, second)
    assert named in caught.value.where
    assert "--anyway" in caught.value.fix


@pytest.mark.parametrize(("first", "second", "named"), REFUSED)
def test_it_can_be_compared_anyway_with_a_warning(
    write_run: Callable[..., Any],
    plugins: Catalogue,
    first: dict[str, dict[str, dict[str, list[Any]]]],
    second: dict[str, Any],
    named: str,
) -> None:
    a, b = write_run("c", scores, **first), write_run("d", scores, **second)
    found = compare_runs([str(a), str(b)], ComparisonWanted(anyway=True), plugins)
    said = " ".join(str(block) for block in sections(found)[0].blocks[1:])
    assert "NOT COMPARABLE" in said
    assert named in said


def changed(folder: Path, **changes: dict[str, str] | int | str) -> Path:
    import json

    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for cell in manifest["cells"]:
        cell.update(changes)
    path.write_text(json.dumps(manifest))
    inner = folder / "scorings" / "first" / "manifest.json"
    judged = json.loads(inner.read_text())
    for cell in judged["cells"]:
        cell.update({name: value for name, value in changes.items() if name in cell})
    inner.write_text(json.dumps(judged))
    return folder


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"version": 2}, "task version"),
        ({"prompts_sha256": "f" * 64}, "wording of the prompts"),
        ({"prompts": "official", "prompts_sha256": "f" * 64}, "whose prompts"),
        ({"score_parameters": {"ties": "agree"}}, "at-score parameters"),
    ],
)
def test_other_versions_prompts_and_scoring_are_refused(
    write_run: Callable[..., Any], plugins: Catalogue, change: dict[str, Any], named: str
) -> None:
    a, b = write_run("a", scores), changed(write_run("b", scores), **change)
    with pytest.raises(ConfigError) as caught:
        compare_runs([str(a), str(b)], None, plugins)
    assert named in caught.value.where


@pytest.mark.parametrize(
    ("second", "named"),
    [
        ({"seed": 5}, "seed"),
        ({"limit": 3}, "limit of groups"),
        ({"imported": True}, "imported from elsewhere"),
        ({"data": {"tiny": {"source": "run", "run": "x", "sha256": "3" * 64}}}, "data tiny"),
        ({"roles": {"candidate": [{"spec": "scripted/z", "sampling": {"temperature": 1.0}}]}}, "sampling"),
        (
            {"roles": {"candidate": [{"spec": "scripted/z", "sampling": {}}], "embedder": [{"spec": "m"}]}},
            "embedder",
        ),
    ],
)
def test_what_changes_only_the_precision_is_said(
    write_run: Callable[..., Any], plugins: Catalogue, second: dict[str, Any], named: str
) -> None:
    found = run_both(write_run, plugins, {}, second)
    said = [one for one in found.parts[0].differences if named in one.what]
    assert [one.weight for one in said] == ["warn"]


@pytest.mark.parametrize(
    ("second", "said"), [("2" * 64, [("11111111", "22222222", "warn")]), ("1" * 64, []), ("", [])]
)
def test_code_that_changed_between_two_runs_is_said_where_both_know_theirs(
    write_run: Callable[..., Any], plugins: Catalogue, second: str, said: list[tuple[str, str, str]]
) -> None:
    one, two = (
        {"code": {"tiny/one": {"distribution": "tiny 1", "sha256": sha256}} if sha256 else {}}
        for sha256 in ("1" * 64, second)
    )
    found = run_both(write_run, plugins, one, two).parts[0].differences
    assert [(it.first, it.second, it.weight) for it in found if it.what == "code (tiny/one)"] == said


def test_code_that_scored_and_is_another_is_said(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    one, two = ({"tiny/one": {"distribution": "tiny 1", "sha256": each * 64}} for each in "12")
    a, b = write_run("a", scores, code=one), write_run("b", scores, code=one, scoring={"code": two})
    found = compare_runs([str(a), str(b)], None, plugins).parts[0].differences
    assert [it.second for it in found if it.what == "code (tiny/one)"] == ["11111111, scored by 22222222"]


def test_one_left_over_cell_a_side_is_compared_with_a_warning(
    write_run: Callable[..., Any], plugins: Catalogue
) -> None:
    a = write_run("a", cells=[("tiny/one", {"turns": 0}, scores)])
    b = write_run("b", cells=[("tiny/one", {"turns": 5}, scores)])
    found = compare_runs([str(a), str(b)], None, plugins)
    assert found.rows[0].match.differing == {"turns": (0, 5)}
    assert "parameter turns of tiny/one" in [one.what for one in found.parts[0].differences]


def test_only_cells_with_the_same_parameters_are_compared(
    write_run: Callable[..., Any], plugins: Catalogue
) -> None:
    a = write_run("a", cells=[("tiny/one", {"turns": k}, scores) for k in (0, 1, 2)])
    b = write_run("b", cells=[("tiny/one", {"turns": k}, scores) for k in (2, 0)])
    found = compare_runs([str(a), str(b)], None, plugins)
    assert [row.match.parameters for row in found.rows] == [{"turns": 0}, {"turns": 2}]
    assert "cells of tiny/one without a partner" in [one.what for one in found.parts[0].differences]
    table = sections(found)[1].blocks[1]
    assert isinstance(table, Table)
    labels = [row[0] for row in table.rows]
    assert labels == ["turns=0", "turns=2"]


def test_nothing_in_common_is_an_error(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    a = write_run("a", cells=[("tiny/one", {"turns": k}, scores) for k in (0, 1)])
    b = write_run("b", cells=[("tiny/one", {"turns": k}, scores) for k in (2, 3)])
    with pytest.raises(ConfigError, match="same parameters"):
        compare_runs([str(a), str(b)], None, plugins)
    c = write_run("c", lambda i, t: {"grade": 0.5}, task="tiny/macro")
    with pytest.raises(ConfigError, match="no task in common"):
        compare_runs([str(a), str(c)], None, plugins)


def test_labels_tell_runs_apart(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    same = {"roles": {"candidate": [{"spec": "vllm/one", "sampling": {}}]}}
    found = run_both(write_run, plugins, same, same)
    assert [run.label for run in found.runs] == ["a", "b"]
