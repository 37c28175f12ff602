"""What a reader sees at a glance: what is unknown or missing, a single entry."""

from pathlib import Path

import numpy as np

from suite.board.repository.shelves import open_repository
from suite.board.site.page_words import when
from suite.board.site.pages import build_site
from tests.board import accepted
from tests.board.pages import soup


def built(root: Path) -> Path:
    return build_site(open_repository(root), root / "site").folder


def test_what_has_no_interval_is_a_hollow_dot_and_said_to_be_one(tmp_path: Path) -> None:
    made = accepted.board(tmp_path)
    accepted.entry(tmp_path, made, 0, np.ones((3, 60)))
    accepted.entry(tmp_path, made, 1, accepted.scores(1, 3, 60, 0.5))
    site = built(tmp_path)
    for page in ("index.html", "tasks/overall.html"):
        figure = soup(site / page).select_one("figure.forest")
        assert figure is not None
        assert "A hollow dot has no interval:" in figure.text
        lines = figure.select("li")
        assert [bool(one.select("circle.u")) for one in lines] == [True, False]
        assert [bool(one.select("line.i")) for one in lines] == [False, True]
        assert ["no interval" in one.text for one in lines] == [True, False]


def test_a_missing_task_is_named_wherever_its_entry_stands(tmp_path: Path) -> None:
    made = accepted.board(tmp_path)
    accepted.entry(tmp_path, made, 0, accepted.scores(0, 3, 60, 0.4))
    bundle = accepted.entry(tmp_path, made, 1, accepted.scores(1, 3, 60, 0.6), leave_out=["family/task-2"])
    site = built(tmp_path)
    row = soup(site / "index.html").find(id=f"e-{bundle[:12]}")
    assert row is not None
    assert "without Task 2" in row.get_text()
    page = soup(site / "entries" / f"{bundle[:12]}.html").get_text(" ")
    assert "No overall number: it has no value for Task 2." in page
    assert "not in the submission" in page


def test_a_single_entry_is_not_called_a_winner(tmp_path: Path) -> None:
    made = accepted.board(tmp_path)
    bundle = accepted.entry(tmp_path, made, 0, accepted.scores(0, 3, 60, 0.4))
    site = built(tmp_path)
    leaders = soup(site / "index.html").select_one(".leaders")
    assert leaders is not None
    assert leaders.text == "So far the only entry: Model 000."
    hero = soup(site / "entries" / f"{bundle[:12]}.html").select_one(".hero")
    assert hero is not None
    assert hero.text.endswith("; the only entry")


def test_times_are_told_in_utc_and_what_is_no_time_as_it_stands() -> None:
    assert when("2026-05-01T12:00:59+02:00") == "2026-05-01 10:00 UTC"
    assert when("2026-05-01T12:00:00Z") == "2026-05-01 12:00 UTC"
    for text in ("yesterday", "0001-01-01T00:00:00+10:00", "9999-12-31T23:00:00-10:00"):
        assert when(text) == text
