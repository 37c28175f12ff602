"""Pages of two entries: which are written, what they say, and the matrix that leads to them."""

import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from suite.board.repository.shelves import open_repository
from suite.board.site.pages import build_site
from tests.board import accepted
from tests.board.pages import soup

LEADING = 12
HOSTILE = "<img src=x onerror=alert(1)> \u202e"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """14 entries of one class over two tasks; the first two lead by far and have hostile names."""
    root = tmp_path_factory.mktemp("pairs")
    made = accepted.board(root, 2)
    for number in range(14):
        named = {"model": {"display_name": f"{HOSTILE}{number}"}} if number < 2 else {}
        values = accepted.scores(number, 2, 60, (0.95, 0.9)[number] if number < 2 else 0.5)
        accepted.entry(root, made, number, values, submission=named)
    return build_site(open_repository(root), root / "site").folder


def best(site: Path) -> list[str]:
    """Short names of the entries, best first."""
    found = json.loads((site / "data.json").read_text())["entries"]
    return [one["bundle_id"][:12] for one in sorted(found, key=lambda one: (one["rank"], one["model"]))]


def page_of(site: Path, one: int, two: int) -> BeautifulSoup:
    names = best(site)
    return soup(site / "pairs" / f"{names[one]}--{names[two]}.html")


def cells(page: BeautifulSoup, table: int) -> list[list[str]]:
    """Texts of a table that faces the two."""
    rows = page.select("table.facing")[table].select("tbody tr")
    return [[cell.text for cell in row.select("th, td")] for row in rows]


def test_only_the_leading_entries_have_pages_and_the_list_says_so(site: Path) -> None:
    pages = [one for one in (site / "pairs").glob("*.html") if one.name != "index.html"]
    assert len(pages) == LEADING * (LEADING - 1) / 2
    index = soup(site / "pairs" / "index.html")
    assert "Only the leading 12 entries of a class have pages with each other, 66 pages at most" in index.text
    linked = {str(one["href"]).removeprefix("../pairs/") for one in index.select("table.pairs td a")}
    assert linked == {one.name for one in pages}


def test_each_field_of_the_matrix_has_a_word_a_difference_a_p_and_the_share_of_wins(site: Path) -> None:
    matrix = soup(site / "pairs" / "index.html").select_one("table.pairs")
    assert matrix is not None
    rows = [row.select("td") for row in matrix.select("tbody tr")]
    assert [len(row) for row in rows] == [LEADING] * LEADING
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            parts = [one.text for one in cell.select(":scope > :not(.against)")]
            if i == j:
                assert parts == ["itself"]
                continue
            word, difference, p, won = parts
            assert word in ("better", "worse", "tied")
            assert float(difference) * {"better": 1, "worse": -1, "tied": 0}[word] >= 0
            assert p.startswith("p ")
            assert won.endswith(" %")
    heads = [one.text for one in matrix.select("thead th")]
    assert all(f"Model {n:03d}" in " ".join(heads) for n in (5, 6))
    assert {one["role"] for one in matrix.select("tbody td")} == {"cell"}


def test_a_page_tells_difference_interval_p_and_samples_by_task(site: Path) -> None:
    page = page_of(site, 0, 13 - 2)
    rows = cells(page, 0)
    assert [row[0] for row in rows] == ["Overall", "Task 0", "Task 1"]
    first, second = best(site)[0], best(site)[11]
    told = {one["bundle_id"][:12]: one for one in json.loads((site / "data.json").read_text())["entries"]}
    gap = told[first]["overall"] - told[second]["overall"]
    assert float(rows[0][2]) == pytest.approx(gap, abs=5e-4)
    assert rows[0][1] == "better"
    assert [int(rows[0][k]) for k in (7, 8, 9)] == [int(rows[1][k]) + int(rows[2][k]) for k in (7, 8, 9)]
    assert sum(int(rows[1][k]) for k in (7, 8, 9)) == 60
    low, high = map(float, rows[0][3].split(" to "))
    assert 0 < low < gap < high


def test_what_was_different_is_listed_and_what_is_the_same_is_not(site: Path) -> None:
    page = page_of(site, 0, 1)
    facts = {what: texts for what, *texts in cells(page, 1)}
    assert facts["organisation"] == ["Lab 0", "Lab 1"]
    assert facts["parameters total"] == ["unknown", "1,000,000,000"]
    assert facts["selection complete runs"] == ["1", "2"]
    assert "deployment" not in facts
    assert "alert(1)" in page.text
    assert not page.select("img")
    assert "\u202e" not in str(page)


def test_a_board_of_one_task_has_pairs_of_it_alone(tmp_path: Path) -> None:
    made = accepted.board(tmp_path, 1)
    for number in range(2):
        accepted.entry(tmp_path, made, number, accepted.scores(number, 1, 30, 0.5))
    site = build_site(open_repository(tmp_path), tmp_path / "site").folder
    (path,) = [one for one in (site / "pairs").glob("*.html") if one.name != "index.html"]
    rows = soup(path).select("table.facing")[0].select("tbody tr")
    assert [row.th.text for row in rows if isinstance(row.th, Tag)] == ["Task 0"]
