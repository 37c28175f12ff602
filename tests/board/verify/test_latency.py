"""The median latency of an entry: from its recorded calls, shown as declared, ranked nowhere."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag

from suite.board.repository.acceptance import accept
from suite.board.repository.audit import check_board
from suite.board.repository.shelves import open_repository
from suite.board.site.pages import build_site
from suite.board.verify import verify
from suite.journal.run import Run
from tests.board import accepted, making
from tests.board.making import as_values


def test_it_is_the_median_of_the_calls_that_nobody_cached(
    good: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = good("choice")[0]
    assert as_values(verify(folder))["latency"] is None  # a script answered: nothing was timed
    monkeypatch.setattr("suite.board.verify.column_results.UNSERVED", frozenset())
    data = as_values(verify(folder))
    (run,) = (folder / "runs").iterdir()
    (tmp_path / "calls.jsonl").write_bytes(
        b"".join(line + b"\n" for line in making.lines_of(run / "calls.jsonl.zst"))
    )
    (tmp_path / "manifest.json").write_bytes((run / "manifest.json").read_bytes())
    times = [one.times for one in Run(tmp_path).journal.calls if one.role == "candidate" and not one.cached]
    median = statistics.median(end - begin for begin, end in times)
    assert data["latency"] == {"median_s": pytest.approx(median, abs=1e-4), "calls": len(times)}
    assert sum(one["latency"]["calls"] for one in data["columns"]) >= len(times)


def test_a_report_without_it_is_no_trouble_and_a_wrong_one_is(
    good: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("suite.board.verify.column_results.UNSERVED", frozenset())
    folder, board = good("choice")
    root = tmp_path / "repo"
    (root / "boards" / board.id).mkdir(parents=True)
    (root / "boards" / board.id / "board.yaml").write_text(board.path.read_text())
    (root / "submissions" / board.id).mkdir(parents=True)
    entry = accept(folder, root).folder
    assert entry is not None
    assert check_board(open_repository(root)[0]) == []
    path = entry / "verification.json"
    told = json.loads(path.read_text())
    for column in told["columns"]:
        column["latency"]["median_s"] += 1
    path.write_text(json.dumps(told))
    assert any("latency" in one.what for one in check_board(open_repository(root)[0]))
    del told["latency"]
    for column in told["columns"]:
        del column["latency"]
    path.write_text(json.dumps(told))
    assert check_board(open_repository(root)[0]) == []


def test_the_site_shows_it_as_declared_and_ranks_nobody_by_it(tmp_path: Path) -> None:
    made = accepted.board(tmp_path, 1)
    values = accepted.scores(0, 1, 60, 0.5)
    slow = accepted.entry(
        tmp_path,
        made,
        0,
        values,
        verification={"latency": {"median_s": 2.5, "calls": 60}},
    )
    unknown = accepted.entry(tmp_path, made, 1, values)
    build_site(open_repository(tmp_path), tmp_path / "site")
    entries = {
        one["bundle_id"]: one for one in json.loads((tmp_path / "site/data.json").read_text())["entries"]
    }
    assert entries[slow]["latency_s_declared"] == 2.5
    assert entries[slow]["tokens_per_sample"] == 1500 / 60
    assert entries[unknown]["latency_s_declared"] is None
    assert entries[slow]["rank"] == entries[unknown]["rank"] == 1
    page = BeautifulSoup((tmp_path / "site/index.html").read_text(), "html.parser")
    heads = [one.get_text(" ", strip=True) for one in page.select("thead th")]
    place = next(at for at, text in enumerate(heads) if text.startswith("Median latency"))
    assert "declared" in heads[place]
    for name, text in ((slow, "2.500"), (unknown, "unknown")):
        row = page.find(id=f"e-{name[:12]}")
        assert isinstance(row, Tag)
        assert row.find_all(["td", "th"])[place].get_text() == text
    detail = (tmp_path / f"site/entries/{slow[:12]}.html").read_text()
    assert "2.500 s a call, over 60 calls" in detail
    assert "Median latency (declared)" in detail
