"""The report's section is made from a run's records; unscored values are left out, not counted."""

from types import SimpleNamespace
from typing import Any

import suite_vibechecker.plugin as plugin
from suite_vibechecker.analysis import VibeChecker, analysis

import suite


def part(position: int, name: str, followed: Any, applicable: bool = True) -> suite.Part:
    values = {"followed": followed, "followed_official": followed is True, "applicable": applicable}
    tags = {"instruction": name, "category": "style", "position": str(position)}
    return suite.Part(f"{position}:{name}", values, tags)


def record(cell: str, passed: Any, *parts: suite.Part) -> Any:
    return SimpleNamespace(cell=cell, values={"passed": passed}, parts=parts)


def cell(name: str, mode: str, k: int, task: str = "vibechecker/live") -> Any:
    return SimpleNamespace(cell=name, task=task, parameters={"mode": mode, "k": k})


def run(*records: Any) -> Any:
    cells = [
        cell("a", "single", 0),
        cell("b", "single", 2),
        cell("c", "multi", 2),
        cell("z", "x", 9, "other"),
    ]
    return SimpleNamespace(manifest=SimpleNamespace(cells=cells), scores=lambda: iter(records))


def table(section: suite.Section, title: str) -> suite.Table:
    found = [one for one in section.blocks if isinstance(one, suite.Table) and one.title == title]
    return found[0]


def test_cells_become_rows_and_lines() -> None:
    unknown = suite.Unscored("verifier")
    sections = analysis(
        [
            run(
                record("a", True),
                record("a", True),
                record("b", True, part(2, "doc_1", False), part(1, "style_3", True)),
                record(
                    "b", suite.Unscored("could be forged"), part(1, "style_3", True), part(2, "doc_1", True)
                ),
                record("c", False, part(1, "style_3", True), part(2, "doc_1", unknown)),
                record("z", True),
            )
        ]
    )
    (section,) = sections
    assert section.title.endswith("vibechecker/live")
    rows = table(section, "By protocol and number of instructions").rows
    assert [row[:3] for row in rows] == [("base", 0, 2), ("single turn", 2, 2), ("multi turn", 2, 1)]
    base, single, multi = rows
    assert base[7] == 100.0
    assert single[3:5] == (75.0, 50.0)
    assert (single[7], single[8], single[9]) == (100.0, 0.0, 0.0)
    assert multi[3] is None  # its only answer has an unscored verdict
    assert (multi[7], multi[8]) == (0.0, 100.0)
    plots = [one for one in section.blocks if isinstance(one, suite.Plot)]
    assert {plot.title for plot in plots} == {"All instructions followed", "pass@1"}


def test_a_run_of_other_tasks_has_no_section() -> None:
    assert analysis([run(record("z", True))]) == ()


def test_what_is_announced_exists_and_names_its_tasks() -> None:
    entries = plugin.suite_register()
    assert [entry.problem() for entry in entries] == [""] * len(entries)
    tasks = {entry.name for entry in entries if entry.kind == "task"}
    assert tasks == set(VibeChecker.tasks)
    aliases = {alias for entry in entries for alias in entry.aliases}
    assert {"swe-if/big", "swe-if/live"} <= aliases
