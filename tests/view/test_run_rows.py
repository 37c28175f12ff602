"""The rows of the list: what each says of a run, and how they follow runs that change."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from suite.journal.run import Run
from suite.report.run_list import list_runs, run_lines
from suite.report.summary import summarise
from suite.view.run_rows import RunListing, RunRow

Make = Callable[..., Path]


def text(row: RunRow) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", row.html).split())


def only(folder: Path) -> RunRow:
    (row,) = RunListing(folder).rows()
    return row


def test_a_row_says_what_a_run_is_and_what_changes_its_meaning(runs: Path) -> None:
    for name in ("model-b", "model-c"):
        shutil.rmtree(runs / name)
    told = text(only(runs))
    assert re.fullmatch(
        r"model-a toy model mini data \d+ % of the groups( \d warnings?)? finished prefeval/classification "
        r"scripted/model-a.jsonl correct [\d.]+ \[[\d.]+, [\d.]+\] none \d{4}-\d\d-\d\d \d\d:\d\d",
        told,
    ), told


def test_what_was_set_of_the_model_tells_runs_apart(make_run: Make) -> None:
    folder = make_run(pending=0)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["roles"]["candidate"][0]["sampling"] = {"temperature": 1.5}
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert "temperature=1.5" in text(only(folder.parent))
    assert "temperature=1.5" in run_lines(list(list_runs(folder.parent)), datetime.now(UTC))[1]


def test_the_newest_run_comes_first(runs: Path) -> None:
    assert [row.folder.name for row in RunListing(runs).rows()] == ["model-c", "model-b", "model-a"]


@pytest.mark.parametrize(
    ("damage", "state", "note"),
    [
        (lambda folder: None, "finished", ""),
        (lambda folder: results(folder, complete=False, pending=1200), "partial", "1,200 pending"),
        (lambda folder: (folder / "outputs.jsonl").unlink(), "damaged", "outputs.jsonl missing"),
        (lambda folder: (folder / "scorings").rename(folder / "gone"), "unscored", ""),
        (
            lambda folder: (folder / "manifest.json").write_text("{"),
            "unreadable",
            "manifest.json is not JSON",
        ),
        (lambda folder: results(folder, complete="yes"), "unreadable", "results.json was changed or damaged"),
    ],
)
def test_a_state_is_named(runs: Path, damage: Callable[[Path], object], state: str, note: str) -> None:
    damage(runs / "model-a")
    for path in (runs / "model-a").rglob("*.jsonl"):
        os.utime(path, (1, 1))  # long ago
    row = next(one for one in RunListing(runs).rows() if one.folder.name == "model-a")
    assert f'data-state="{state}"' in row.html
    assert f"{state} {note}" in text(row)


def results(folder: Path, **changed: object) -> None:
    (path,) = folder.glob("scorings/*/results.json")
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changed), "utf-8")


def test_headlines_tell_cells_apart_and_the_rest_is_counted(make_run: Make) -> None:
    told = text(only(make_run(pending=0).parent))
    assert "prefs/generation method=plain, inter_turns=0 kept 0." in told
    assert told.count("[0.") == 4
    assert "and 3 more cells" in told


def test_hostile_names_are_text(runs: Path) -> None:
    name = "<img src=x onerror=alert(1)> \u202e\x1b'\""
    (runs / "model-a").rename(runs / name)
    manifest = runs / name / "manifest.json"
    manifest.write_text(
        manifest.read_text("utf-8").replace("scripted/", "<script>alert(1)</script>"), "utf-8"
    )
    row = next(one for one in RunListing(runs).rows() if one.folder.name == name)
    assert re.fullmatch(r"img-src-x-onerror-alert-1-[0-9a-f]{8}", row.key)
    assert set(re.findall(r"<(\w+)", row.html)) <= {
        "tr",
        "td",
        "th",
        "input",
        "a",
        "span",
        "div",
        "b",
        "time",
    }
    assert "\u202e" not in row.html
    assert "\x1b" not in row.html


def test_runs_elsewhere_of_one_name_have_addresses_of_their_own(runs: Path, tmp_path: Path) -> None:
    other = shutil.copytree(runs / "model-a", tmp_path / "elsewhere" / "model-a")
    rows = RunListing(runs, [runs / "model-a", other]).rows()
    assert len({row.key for row in rows}) == 2


def test_only_what_changed_is_read_again(runs: Path) -> None:
    listing = RunListing(runs)
    before = {row.folder.name: row for row in listing.rows()}
    results(runs / "model-a", pending=3, complete=False)
    after = {row.folder.name: row for row in listing.rows()}
    assert [name for name in before if after[name] is not before[name]] == ["model-a"]


def test_a_file_that_is_half_there_hides_no_run(runs: Path) -> None:
    for name in ("gone.json", "results.json.part"):
        (runs / "model-a" / name).symlink_to("nowhere")
    listing = RunListing(runs, [runs / "model-a"])
    assert "finished" in text(listing.rows()[0])
    results(runs / "model-a", pending=3, complete=False)
    assert "partial" in text(listing.rows()[0])


def test_a_run_that_went_away_is_gone(runs: Path) -> None:
    listing = RunListing(runs)
    key = next(row.key for row in listing.rows() if row.folder.name == "model-a")
    assert listing.row(key) is not None
    shutil.rmtree(runs / "model-a")
    assert listing.row(key) is None


def test_a_run_that_was_named_and_went_away_is_said(runs: Path) -> None:
    listing = RunListing(runs, [runs / "model-a"])
    shutil.rmtree(runs / "model-a")
    assert "is not a finished part of a run" in listing.rows()[0].trouble


def begin(folder: Path) -> dict[Path, list[bytes]]:
    """Make the journals of a run empty, as if it had just begun; their lines."""
    (path,) = folder.glob("scorings/*/results.json")
    path.unlink()
    found = {}
    for path in (folder / "outputs.jsonl", *folder.glob("scorings/*/scores.jsonl")):
        found[path] = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"")
    return found


def test_a_run_being_written_tells_how_far_it_is_the_same_everywhere(runs: Path) -> None:
    journals = begin(runs / "model-a")
    listing = RunListing(runs, [runs / "model-a"])
    assert "0 solved, 0 scored of 14" in text(listing.rows()[0])
    for path, lines in journals.items():  # of the tenth line only a part is there
        path.write_bytes(b"".join(lines[:9]) + lines[9][:30])
    told = text(listing.rows()[0])
    assert "partial running 9 solved, 9 scored of 14" in told
    assert "correct" not in told  # an interval of a part would not be that of the whole
    (line,) = (one for one in run_lines(list(list_runs(runs)), datetime.now(UTC)) if "model-a " in one)
    assert "running (9 solved, 9 scored of 14)" in line
    (cell,) = summarise(Run(runs / "model-a")).tasks[0].cells
    assert (cell.solved, cell.scored, cell.pending) == (9, 9, 5)


def test_a_run_whose_journals_are_silent_is_not_running(runs: Path) -> None:
    journals = begin(runs / "model-a")
    for path in journals:
        os.utime(path, (time.time() - 90, time.time() - 90))
    row = RunListing(runs, [runs / "model-a"]).rows()[0]
    assert (row.running, 'data-state="partial"' in row.html) == ("", True)


def test_damage_in_a_growing_journal_is_said_and_costs_no_other_run(runs: Path) -> None:
    journals = begin(runs / "model-a")
    listing = RunListing(runs)
    listing.rows()
    for path, lines in journals.items():
        path.write_bytes(lines[0].replace(b'"cell"', b'"cull"'))
    told = [text(row) for row in listing.rows()]
    assert [("unreadable" in one, "finished" in one) for one in told] == [
        (False, True),
        (False, True),
        (True, False),
    ]
    assert "outputs.jsonl line 1 was changed or damaged" in told[2]
