"""Where a board leaves the judge open, its pages say who judged, and that such values do not compare."""

import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from suite.board.entry import VERIFICATION
from suite.board.repository.shelves import open_repository
from suite.board.site.pages import build_site
from tests.board import accepted


def judged_by(root: Path, short: str, judge: str) -> None:
    (folder,) = (root / "submissions/b").glob(f"*-{short}")
    told = json.loads((folder / VERIFICATION).read_text("utf-8"))
    told["columns"][0]["roles"] = {"judge": [judge]}
    (folder / VERIFICATION).write_text(json.dumps(told), "utf-8")


def page(root: Path, path: str) -> BeautifulSoup:
    return BeautifulSoup((root / "site" / path).read_text("utf-8"), "html.parser")


@pytest.mark.parametrize("judges", [("lab/one at 0000", "lab/two"), ("lab/one", "lab/one")])
def test_who_judged_is_shown(tmp_path: Path, judges: tuple[str, str]) -> None:
    made = accepted.board(tmp_path, 2)
    names = [
        accepted.entry(tmp_path, made, n, accepted.scores(n, 2, 30, 0.5))[:12] for n in range(len(judges))
    ]
    for short, judge in zip(names, judges, strict=True):
        judged_by(tmp_path, short, judge)
    build_site(open_repository(tmp_path), tmp_path / "site")
    task = page(tmp_path, "tasks/family--task-0.html")
    assert [one.text for one in task.select("table.sortable thead th")][-1] == "Judge"
    assert {row.select("td")[-1].text for row in task.select("table.sortable tbody tr")[:2]} == set(judges)
    assert ("the same judge" in task.text) is (judges[0] != judges[1])
    assert "Judge" not in page(tmp_path, "tasks/family--task-1.html").text
    assert f"judge: {judges[0]}" in page(tmp_path, f"entries/{names[0]}.html").text


def test_a_hostile_name_of_a_judge_is_text(tmp_path: Path) -> None:
    made = accepted.board(tmp_path, 1)
    short = accepted.entry(tmp_path, made, 1, accepted.scores(1, 1, 30, 0.5))[:12]
    judged_by(tmp_path, short, accepted.HOSTILE)
    build_site(open_repository(tmp_path), tmp_path / "site")
    for path in ("tasks/family--task-0.html", f"entries/{short}.html"):
        found = page(tmp_path, path)
        assert not found.select("td script, td img")
        assert "owned" in found.text
        assert "\u202e" not in found.text


def test_a_role_that_the_board_fixes_takes_no_column(tmp_path: Path) -> None:
    fixed = {"task": "family/task-0", "version": 1, "roles": {"judge": {"spec": "lab/one"}}}
    made = accepted.board(tmp_path, tasks=[fixed])
    short = accepted.entry(tmp_path, made, 1, accepted.scores(1, 1, 30, 0.5))[:12]
    judged_by(tmp_path, short, "lab/one")
    build_site(open_repository(tmp_path), tmp_path / "site")
    heads = page(tmp_path, "tasks/family--task-0.html").select("table.sortable thead th")
    assert heads[-1].text == "Ranks"
