"""The list of runs as lines to copy from, and times as people tell them."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from suite.report.numbers import ago
from suite.report.run_list import Headline, ListedRun, UnreadableRun, run_lines

NOW = datetime(2026, 11, 14, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("created", "told"),
    [
        ("2026-11-14T15:29:40Z", "0 min ago"),
        ("2026-11-14T15:18:00Z", "12 min ago"),
        ("2026-11-14T12:10:00Z", "3 h ago"),
        ("2026-11-13T01:10:00Z", "yesterday"),
        ("2026-11-12T23:10:00Z", "12 Nov"),
        ("2025-11-12T23:10:00Z", "12 Nov 2025"),
        ("2026-11-20T23:10:00Z", "20 Nov"),  # by a clock that goes ahead
    ],
)
def test_times_are_told_from_now(created: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert ago(created, NOW) == told


def listed(name: str, *values: float, **more: Any) -> ListedRun:
    heads = [Headline(task="t/one", cell="c", name="kept", value=v, low=v / 2, high=1.0, n=9) for v in values]
    fields: dict[str, Any] = {
        "run": name, "state": "finished", "pending": 0, "imported": False, "tasks": ["t/one"], "cells": 1,
        "candidate": "openai/x", "created": "2026-11-14T12:00:00Z", "scorings": [], "headlines": heads,
    }  # fmt: skip
    return ListedRun(**fields | more)


def test_a_run_is_one_line_with_its_name_first_and_whole() -> None:
    name = "prefeval-" + "n" * 150
    lines = run_lines([listed(name, 0.5), listed("b", 0.1, 0.4, state="partial", note="1,200 pending")], NOW)
    assert [line.split("  ")[0] for line in lines] == ["run", name, "b"]
    assert lines[1].endswith("3 h ago  finished                 t/one  openai/x  kept 0.500 [0.250, 1.000]")
    assert lines[2].endswith("partial (1,200 pending)  t/one  openai/x  kept 0.100 to 0.400 in 2 cells")


def test_the_newest_run_is_last_and_columns_are_aligned() -> None:
    lines = run_lines([listed("new"), listed("the-older-one", created="2026-01-02T00:00:00Z")], NOW)
    assert [line.split()[0] for line in lines] == ["run", "the-older-one", "new"]
    assert len({line.index("t/one") for line in lines[1:]}) == 1


def test_hostile_text_of_a_run_stays_on_its_line() -> None:
    bad = "\x1b[2J\n\t\u202e│"
    lines = run_lines([listed(f"a{bad}", tasks=[bad]), UnreadableRun(f"b{bad}", "unreadable", bad)], NOW)
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert "unreadable: " in lines[2]


@pytest.mark.parametrize("columns", ["20", "200"])
def test_lines_do_not_depend_on_the_terminal(
    make_run: Callable[..., Any], columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from suite.cli.runs import runs

    monkeypatch.setenv("COLUMNS", columns)
    folder = make_run()
    found = CliRunner().invoke(runs, ["list", "--dir", str(folder.parent)]).output
    assert len(found.splitlines()) == 2
    assert found.splitlines()[1].startswith(f"{folder.name}  ")
