"""What a first page says before its numbers, and the words that it explains in place."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup

from suite.board.repository.shelves import open_repository
from suite.board.site.pages import build_site
from tests.board import accepted
from tests.board.pages import soup

HONEST = {"disclosure": {"contamination": {"family/task-0": "none_known"}}}
TASK = {"task": "family/task-0", "version": 1, "title": "Task 0"}


def first_page(root: Path, task: dict[str, Any] | None = None, **entry: Any) -> BeautifulSoup:
    """The page of a board of one task with one entry, honest and plain but for what is given."""
    made = accepted.board(root, tasks=[{**TASK, **(task or {})}])
    submission = accepted.merged(HONEST, entry.pop("submission", {}))
    values = entry.pop("values", accepted.scores(0, 1, 60, 0.5))
    accepted.entry(root, made, 1, values, submission=submission, **entry)
    return soup(build_site(open_repository(root), root / "site").folder / "index.html")


def told(page: BeautifulSoup) -> str:
    return " ".join(" ".join(one.text for one in page.select(".caveats li")).split())


def test_a_board_without_caveats_has_no_box(tmp_path: Path) -> None:
    assert first_page(tmp_path).select(".caveats") == []


@pytest.mark.parametrize(
    ("task", "entry", "said"),
    [
        ({"data": "mini"}, {}, "Mini data: its scores mean nothing and compare with nothing."),
        ({"limit": 5, "seed": 1}, {}, "Only a part of the data is asked in Task 0."),
        (
            {"roles": {"judge": {"spec": "vllm/Lab/model-70B"}}},
            {},
            "Self-preference: 1 of 1 entry was judged by a model of the same family",
        ),
        (
            {},
            {"submission": {"disclosure": {"contamination": {"family/task-0": "train_split"}}}},
            "Exposure, by the submitters' word: 1 of 1 entry was declared to have seen data of a task; of 0",
        ),
        (
            {},
            {"submission": {"disclosure": {"contamination": {"family/task-0": "unknown"}}}},
            "0 of 1 entry were declared to have seen data of a task; of 1 it is not known.",
        ),
        (
            {"data_published": "2020-01-01"},
            {"submission": {"model": {"release_date": "2026-01-01"}}},
            "1 of 1 entry was released after the data were",
        ),
        (
            {},
            {"verification": {"verdict": "verified_with_warnings"}},
            "1 of 1 entry was verified with warnings",
        ),
    ],
)
def test_a_caveat_stands_on_the_first_page(
    tmp_path: Path, task: dict[str, Any], entry: dict[str, Any], said: str
) -> None:
    assert said in told(first_page(tmp_path, task, **entry))


def test_who_has_no_interval_is_named_and_hostile_names_are_text(tmp_path: Path) -> None:
    named = {"model": {"display_name": accepted.HOSTILE}}
    made = accepted.board(tmp_path, 2)
    accepted.entry(tmp_path, made, 1, np.ones((2, 60)), submission=named)
    page = soup(build_site(open_repository(tmp_path), tmp_path / "site").folder / "index.html")
    assert "Without an interval: </script><script>" in told(page)
    assert not page.select(".caveats script, .caveats img")
    leaders = page.select_one(".leaders")
    assert leaders is not None
    assert leaders.text.endswith("(no interval).")


@pytest.mark.parametrize(
    ("judges", "said"),
    [
        (["one", "one"], "each entry brings its own judge. So far all have the same."),
        (["one", "two"], "Not every entry has the same judge: such values do not compare."),
    ],
)
def test_a_judge_that_entries_choose_is_told(tmp_path: Path, judges: list[str], said: str) -> None:
    made = accepted.board(tmp_path, 1)
    for number, judge in enumerate(judges):
        bundle = accepted.entry(tmp_path, made, number, accepted.scores(number, 1, 60, 0.5))
        path = next((tmp_path / "submissions/b").glob(f"*{bundle[:12]}")) / "verification.json"
        found = json.loads(path.read_text())
        found["columns"][0]["roles"] = {"judge": [judge]}
        path.write_text(json.dumps(found))
    page = soup(build_site(open_repository(tmp_path), tmp_path / "site").folder / "index.html")
    assert said in told(page)


def test_mini_data_of_some_tasks_names_them(tmp_path: Path) -> None:
    tasks = [{**TASK, "data": "mini"}, {**TASK, "task": "family/task-1", "title": "Task 1"}]
    made = accepted.board(tmp_path, tasks=tasks)
    accepted.entry(tmp_path, made, 1, accepted.scores(0, 2, 60, 0.5))
    page = soup(build_site(open_repository(tmp_path), tmp_path / "site").folder / "index.html")
    assert "Mini data in Task 0: its scores mean nothing" in told(page)


def test_heads_tell_questions_and_cells_and_explain_their_words(tmp_path: Path) -> None:
    page = first_page(tmp_path)
    head = page.select_one("th[data-k='family/task-0'] small")
    assert head is not None
    assert " ".join(head.text.split()) == "60 questions in 1 cell, n = 60"
    for button in page.select(".what-is"):
        window = page.find(id=str(button["popovertarget"]))
        assert window is not None
        assert window.text.split(".")[0] in str(button["aria-label"])
    assert {str(one["popovertarget"]) for one in page.select(".what-is")} == {
        "board-rank", "board-zero_shot", "board-trust",
    }  # fmt: skip
    fold = page.select_one("details.terms")
    assert fold is not None
    assert all(f"L{level}:" in fold.text for level in range(5))


def test_date_and_organisation_stand_in_table_and_plot(tmp_path: Path) -> None:
    page = first_page(tmp_path)
    line = page.select_one("figure.forest li")
    assert line is not None
    assert "Lab 1 · 2026-05-01" in line.text
    row = page.select_one("#rows tr")
    assert row is not None
    assert "Lab 1" in row.text
    heads = [one["data-k"] for one in page.select("#board thead th")]
    day = row.find_all(["td", "th"])[heads.index("run")]
    assert day.text == "2026-05-01"
    assert "m" not in day["class"]
