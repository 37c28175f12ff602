"""What the pages say of intervals that are missing or too narrow, and of who followed whom."""

import json
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup

from suite.board.repository.shelves import open_repository
from suite.board.site.pages import build_site
from tests.board import accepted


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Entry 0 solves all of the first task, entry 1 all of both; entry 2 is followed by entry 3."""
    root = tmp_path_factory.mktemp("narrow")
    made = accepted.board(root, 2)
    values = [accepted.scores(number, 2, 60, 0.6) for number in range(4)]
    values[0][0] = 1.0
    values[1][:] = 1.0
    bundles = [accepted.entry(root, made, number, values[number]) for number in range(2)]
    by = "f" * 64
    gone = {"status": "superseded", "by": by, "status_date": "2026-05-04"}
    accepted.entry(root, made, 2, values[2], record=gone)
    late = accepted.entry(root, made, 3, values[3])
    for path in (root / "submissions" / "b").glob("*/entry.yaml"):
        path.write_text(path.read_text("utf-8").replace(by, late), "utf-8")
    build_site(open_repository(root), root / "site")
    (root / "site" / "names.txt").write_text("\n".join(one[:12] for one in [*bundles, late]))
    return root / "site"


def test_a_narrow_interval_is_marked_and_a_missing_one_leaves_no_bracket(site: Path) -> None:
    first, second, third = (site / "names.txt").read_text().split()
    index = soup(site / "index.html")
    note = "1 of 3 intervals are too narrow"
    assert note in index.text
    assert "1 of 3 entries have no interval" in index.text
    marks = {row["id"][2:]: [one.text for one in row.select(".mark")] for row in index.select("#rows tr")}
    assert "interval too narrow" in marks[first]
    assert "interval too narrow" not in [*marks[second], *marks[third]]
    assert note in soup(site / "tasks" / "overall.html").text
    assert "in 1 of 2 tasks all units of the entry are alike" in soup(site / f"entries/{first}.html").text
    whole = soup(site / f"entries/{second}.html").select_one(".hero")
    assert whole is not None
    assert "overall (no interval: how far it may move is not known); rank 1 of 3 entries" in whole.text
    assert "()" not in whole.text
    told = json.loads((site / "data.json").read_text("utf-8"))
    assert note in told["note"]
    rows = {one["bundle_id"][:12]: (one["lacking"], one["low"] is None) for one in told["entries"]}
    assert rows == {first: (1, False), second: (0, True), third: (0, False)}


def test_the_history_names_who_followed(site: Path) -> None:
    page = soup(site / "history.html")
    row = next(one for one in page.select("tbody tr") if "superseded" in one.text)
    link = row.select("a")[-1]
    assert link.text == "Model 003"
    assert (site / str(link["href"])).is_file()


def test_two_numbers_in_a_cell_are_sorted_as_numbers(site: Path) -> None:
    cells = soup(site / "tasks" / "overall.html").select("table.sortable td.r")
    assert cells
    for cell in cells:
        numbers = [float(one) for one in str(cell["data-v"]).split()]
        assert len(numbers) == (0 if cell.text == "–" else 2)
        assert np.all(np.diff(numbers) >= 0)


def test_the_boards_own_method_is_not_among_the_others(tmp_path: Path) -> None:
    made = accepted.board(tmp_path, 2, overall={"method": "borda"})
    for number in range(2):
        accepted.entry(tmp_path, made, number, accepted.scores(number, 2, 60, 0.6))
    build_site(open_repository(tmp_path), tmp_path / "site")
    page = soup(tmp_path / "site" / "tasks" / "overall.html")
    facts = dict(
        zip([one.text for one in page.select("dt")], [one.text for one in page.select("dd")], strict=True)
    )
    assert facts["Method"] == "Borda count"
    assert "Borda count" not in facts["Other methods"]
    assert "Minus mean rank" in facts["Other methods"]
