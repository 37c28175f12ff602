"""Runs followed live: what reaches an exporter, and trackers that are down, hang, raise or die."""

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import Request

import msgspec
import pytest

import suite
from suite.plugins import catalogue
from suite.report import live_export
from suite.report.live_export import LiveExport
from suite.run.outcome import Outcome

Make = Callable[..., Path]
CODE = '''
import json, os, time
from pathlib import Path
from typing import Literal
import suite

class DiaryOptions(suite.ExportOptions):
    path: str
    """where it writes."""
    how: Literal["well", "hangs", "raises", "dies", "breaks"] = "well"
    """how it goes."""

class Diary(suite.Exporter[DiaryOptions]):
    output = ""
    def __init__(self, options):
        super().__init__(options)
        if options.how == "breaks":
            raise OSError("no ink")
    def follow(self, run):
        return Page(self, run)
    def write(self, run, output):
        self.note("write", sorted(one.name for one in run.write_files(output)))
        return suite.Export([], ["it is at home"])
    def note(self, *words):
        with Path(self.options.path).open("a") as file:
            file.write(json.dumps(words) + "\\n")

class Page(suite.Follower):
    def __init__(self, diary, run):
        self.diary, self.run = diary, run
    def update(self, now):
        print("a library that prints")
        self.diary.note("update", self.run.numbers(now), os.getpid())
        how = self.diary.options.how
        if how == "hangs":
            time.sleep(3600)
        if how == "dies":
            os._exit(3)
        if how == "raises":
            raise OSError("no answer for " + os.environ["DIARY_API_KEY"])
    def stop(self, whole):
        self.diary.note("stop", whole)
'''


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution with the exporter `diary`, which a process of its own finds, too."""
    place = tmp_path / "site"
    info = place / "suite_diary-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: suite-diary\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[suite]\ndiary = diary_plugin\n")
    register = 'return [suite.Entry("exporter", "diary", "A diary", "diary_code:Diary")]'
    plugin = f"import suite\n\n@suite.hookimpl\ndef suite_register():\n    {register}\n"
    (place / "diary_plugin.py").write_text(plugin)
    (place / "diary_code.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setenv("DIARY_API_KEY", "drawn-7f3a91c2e5")
    monkeypatch.chdir(tmp_path)
    catalogue.cache_clear()
    yield
    catalogue.cache_clear()


def evaluated(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """A small run with these flags more: its exit code and all that it says."""
    task = "--task", "prefeval/classification", "--mini", "--limit", "2", "--model", "scripted/words"
    code = suite.run_command("eval", *task, "--no-cache", "--output", "out", *words)
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def told(path: Path = Path("diary")) -> list[list[Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_run_is_told_as_it_goes_and_exported_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = evaluated(capsys, "--quiet", "--to", "diary", "--to-option", "path=diary")
    (_, numbers, _), stopped, written = told()[-3:]
    assert code == 0 and "diary: it is at home" in said
    assert "library that prints" not in said
    assert (numbers["live/done"], numbers["live/pending"], numbers["live/total"]) == (8, 0, 8)
    assert {name.rpartition("/")[2] for name in numbers} >= {"value", "n"}
    assert stopped == ["stop", True]
    assert written == ["write", ["report.html", "results.json", "samples.parquet"]]
    assert evaluated(capsys, "--to", "diary", "--to-option", "path=diary")[0] == 0
    assert told()[-2:] == [written, written]  # of a finished run nothing is told anew


def test_a_tracker_that_hangs_costs_the_run_nothing_and_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_export, "PATIENCE_S", 1.0)
    code, said = evaluated(capsys, "--to", "diary", "--to-option", "path=diary", "--to-option", "how=hangs")
    assert code == 0 and "updates were lost: it took more than 1 s\n" in said
    assert "later: suite report export out --to diary --path diary --how hangs" in said


@pytest.mark.parametrize(
    ("how", "why", "exported"),
    [("dies", "its process died", False), ("raises", "OSError: no answer for ***", True)],
)
def test_what_was_lost_of_a_tracker_is_said_once(make_run: Make, how: str, why: str, exported: bool) -> None:
    run = suite.Run(make_run(pending=0))
    given = {"path": "diary", "how": how}
    with LiveExport("diary", given, run.folder, run.scoring) as live:
        live.tick(suite.LiveProgress)
        live.tick(lambda: suite.LiveProgress(3))
        said = live.end(Outcome(run.folder, run.scoring, run.results))
    assert f"! diary: 1 of 1 live updates were lost: {why}" in said
    assert ("diary: it is at home" in said) == exported


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "mlflo"], "no exporter named 'mlflo'"),
        (["--to", "diary"], "--to diary needs --path"),
        (["--to", "diary", "--to-option", "path=x", "--to-option", "paht=x"], "did you mean 'path'?"),
        (["--to", "diary", "--to-option", "path"], "--to NAME --to-option KEY=VALUE"),
        (["--to-option", "path=x"], "--to NAME --to-option KEY=VALUE"),
        (["--to", "csv"], "--to-option output=PATH"),
        (["--to", "diary", "--to-option", "path=x", "--to-option", "how=breaks"], "no ink"),
        (["--to", "diary", "--to-option", "path=x", "--solve-only"], "--solve-only makes none"),
    ],
)
def test_what_cannot_follow_is_refused_before_anything_is_asked(
    capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    code, said = evaluated(capsys, *words)
    assert code == 2 and message in said
    assert not Path("out").exists()


def test_a_tracker_that_is_not_installed_is_named_with_its_plugin(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("suite.plugins.entry_points", lambda group: [])
    code, said = evaluated(capsys, "--task", "rag-rewardbench", "--to", "mlflow")
    assert code == 2 and "no " in said
    catalogue.cache_clear()
    with pytest.raises(suite.NotFound, match="pip install suite-mlflow"):
        LiveExport("mlflow", {}, Path("out"), "")


@pytest.mark.parametrize(
    ("needed", "message"),
    [
        ("no-such-library<5,>=3.1", "no-such-library is not installed: --to diary needs it"),
        (
            "pydantic>=99.1",
            r"pydantic 2\.\S+ is too old: --to diary needs it\n  pip install -U 'pydantic>=99.1'",
        ),
        ("pydantic>=2.1", ""),
        ('no-such-library>=3.1; extra == "all"', ""),
    ],
)
def test_libraries_of_a_plugin_are_looked_for_before_a_run(tmp_path: Path, needed: str, message: str) -> None:
    with (tmp_path / "site/suite_diary-1.0.dist-info/METADATA").open("a") as file:
        file.write(f"Requires-Dist: {needed}\n")
    catalogue.cache_clear()
    with pytest.raises(suite.ConfigError, match=message) if message else nullcontext():
        LiveExport("diary", {"path": "diary"}, Path("out"), "")


def test_who_is_too_slow_loses_the_oldest_updates() -> None:
    slow = LiveExport("diary", {"path": "diary"}, Path("out"), "")
    for done in range(100):
        slow._next = 0.0
        slow.tick(lambda done=done: suite.LiveProgress(done))  # type: ignore[misc]
    assert [one.done for one in slow._waiting if not isinstance(one, bool)] == list(range(68, 100))


def test_a_run_that_was_interrupted_is_left_open(make_run: Make) -> None:
    folder = make_run(pending=2)
    with LiveExport("diary", {"path": "diary"}, folder, "abc12345") as live:
        live.tick(suite.LiveProgress)
        live.tick(lambda: suite.LiveProgress(3))
        said = live.end(Outcome(folder, "abc12345", interrupted=True))
    assert [one[0] for one in told()] == ["update", "stop"]
    assert told()[-1] == ["stop", False]
    assert said == ["! diary: the run is not whole yet, and not exported: the same command goes on with both"]


def test_a_run_that_was_interrupted_is_exported_where_a_part_may_be(make_run: Make) -> None:
    run = suite.Run(make_run(pending=2))
    given = {"path": "diary", "allow_partial": "true"}
    with LiveExport("diary", given, run.folder, run.scoring) as live:
        said = live.end(Outcome(run.folder, run.scoring, run.results, pending=2, interrupted=True))
    assert said == ["diary: it is at home"]


def test_who_does_not_wait_any_more_is_told_so(make_run: Make) -> None:
    run = suite.Run(make_run(pending=0))

    def interrupt() -> None:
        wait_for(lambda: bool(told()))
        os.kill(os.getpid(), signal.SIGINT)

    with LiveExport("diary", {"path": "diary", "how": "hangs"}, run.folder, run.scoring) as live:
        live.tick(suite.LiveProgress)
        live.tick(lambda: suite.LiveProgress(3))
        threading.Thread(target=interrupt).start()
        said = live.end(Outcome(run.folder, run.scoring, run.results))
    assert said[:2] == [
        "! diary: 1 of 1 live updates were lost: nobody waited for it",
        "! diary: the run was not exported: nobody waited for it",
    ]


def test_ctrl_c_while_a_run_reports_does_not_keep_it_from_who_follows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("suite.report.terminal.print_results", interrupted)
    _, said = evaluated(capsys, "--quiet", "--to", "diary", "--to-option", "path=diary")
    assert "diary: it is at home" in said


def test_a_file_that_is_there_is_no_file_of_a_new_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.csv").write_text("mine")
    words = "--to", "csv", "--to-option", "output=mine.csv"
    code, said = evaluated(capsys, *words)
    assert code == 2 and "mine.csv is there already" in said and not Path("out").exists()
    assert evaluated(capsys, *words, "--to-option", "force=true")[0] == 0
    assert Path("mine.csv").read_text() != "mine"


def test_a_refusal_of_several_lines_stays_sentences(make_run: Make) -> None:
    run = suite.Run(make_run(pending=0))
    Path("mine.csv").write_text("mine")
    with LiveExport("csv", {}, run.folder, run.scoring, "mine.csv") as live:
        said = live.end(Outcome(run.folder, run.scoring, run.results))
    assert "and is another file; choose another name" in said[0]


def test_a_command_for_later_says_what_its_stars_are(make_run: Make) -> None:
    run = suite.Run(make_run(pending=0))
    with LiveExport("diary", {"path": "http://bob:hunter2-x@host/diary"}, run.folder, run.scoring) as live:
        said = live.end(Outcome(run.folder, run.scoring, run.results))
    assert "hunter2" not in said[1] and "such as MLFLOW_TRACKING_URI" in said[2]


def test_who_follows_ends_with_the_run_s_process(make_run: Make, tmp_path: Path) -> None:
    folder = make_run()
    lines = [
        "import pathlib, suite, time",
        "from suite.report.live_export import LiveExport",
        "if __name__ == '__main__':",
        f"    folder = pathlib.Path({str(folder)!r})",
        "    with LiveExport('diary', {'path': 'diary'}, folder, 'abc12345') as live:",
        "        live.tick(suite.LiveProgress)",
        "        live.tick(lambda: suite.LiveProgress(3))",
        "        time.sleep(600)",
    ]
    (tmp_path / "run.py").write_text("\n".join(lines))
    path = os.pathsep.join([str(tmp_path / "site"), *sys.path])
    with subprocess.Popen([sys.executable, "run.py"], env={**os.environ, "PYTHONPATH": path}) as run:
        wait_for(lambda: len(told()) == 1)
        run.send_signal(signal.SIGKILL)
    wait_for(lambda: told()[-1] == ["stop", False])


def wait_for(what: Callable[[], bool]) -> None:
    """Until it is so; pytest's own limit ends it."""
    while not what():
        time.sleep(0.02)


def test_the_example_of_the_kit_posts_what_it_is_told(
    make_run: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/plugin-kit.md").read_text("utf-8")
    (tmp_path / "site/billboard.py").write_text(
        page.partition('```python title="suite_billboard.py"\n')[2].partition("```")[0]
    )
    kind = importlib.import_module("billboard").Billboard
    with pytest.raises(suite.ConfigError, match="nothing says where the billboard is"):
        kind(suite.ExportOptions())
    posted: list[dict[str, Any]] = []
    monkeypatch.setenv("BILLBOARD_URL", "http://127.0.0.1:9")

    def urlopen(asked: Request, timeout: float) -> BytesIO:
        assert isinstance(asked.data, bytes) and timeout
        posted.append(json.loads(asked.data))
        return BytesIO()

    monkeypatch.setattr("billboard.urlopen", urlopen)
    run = suite.ExportedRun(make_run(pending=0))
    follower = kind(suite.ExportOptions()).follow(run)
    follower.update(suite.LiveProgress(3))
    follower.stop(False)
    kind(suite.ExportOptions()).write(run, tmp_path)
    assert [one["state"] for one in posted] == ["running", "stopped", "finished"]
    assert posted[0]["numbers"] == {"live/done": 3, "live/pending": 0, "live/total": 84}
    assert posted[2]["numbers"] == run.numbers()


def test_files_hold_no_texts_where_a_licence_forbids_it(make_run: Make, tmp_path: Path) -> None:
    closed = {"data": {"prefs": {"licence": {"name": "CC-BY-NC-4.0"}}}}
    run = suite.ExportedRun(make_run(pending=0, manifest=closed))
    page = next(one for one in run.write_files(tmp_path / "files") if one.name == "report.html")
    assert page.read_bytes() == run.write_report(tmp_path / "bare.html", texts=False).read_bytes()
    assert page.read_bytes() != run.write_report(tmp_path / "whole.html").read_bytes()
    assert set(run.table("samples")["question"].to_pylist()) == {None}


def test_numbers_have_names_that_every_tracker_takes(make_run: Make) -> None:
    run = suite.ExportedRun(make_run(pending=0))
    numbers = run.numbers()
    first = run.results.cells[0].headline_row
    assert first is not None
    assert numbers["prefs/generation/method:plain inter_turns:0/kept/value"] == first.value
    assert all(re.fullmatch("[A-Za-z0-9_.:/ -]+", name) for name in numbers)
    assert len(set(run.cell_names.values())) == len(run.manifest.cells)


def test_numbers_tell_what_is_missing(make_run: Make) -> None:
    run = suite.ExportedRun(make_run(pending=2))
    numbers = run.numbers()
    for cell in run.results.cells:
        row, name = cell.headline_row, f"{run.cell_names[cell.cell]}/{cell.headline}"
        assert row is not None
        told = [numbers[f"{name}/{end}"] for end in ("unscored", "coverage", "pending")]
        assert told == [row.unscored, row.coverage, cell.pending]
    assert {one.pending for one in run.results.cells} != {0}


def test_a_cell_has_its_name_whatever_stands_before_it(make_run: Make) -> None:
    styles = "a+b", "a*b", "a_b"

    def names(order: Sequence[str]) -> dict[str, str]:
        run = suite.ExportedRun(make_run(name="-".join(map(str, map(styles.index, order)))))
        one = run.manifest.cells[0]
        cells = [msgspec.structs.replace(one, cell=f"{styles.index(style)}" * 12, parameters={"style": style})
                 for style in order]  # fmt: skip
        run.manifest = msgspec.structs.replace(run.manifest, cells=cells)
        return dict(run.cell_names)

    assert names(styles) == names(styles[::-1])
    assert [name.rpartition("/")[2] for name in names(styles).values()] == [
        "style:a_b 000000", "style:a_b 111111", "style:a_b",
    ]  # fmt: skip


def test_the_identity_stays_when_a_run_moves(make_run: Make, tmp_path: Path) -> None:
    folder = make_run(pending=0)
    before = suite.ExportedRun(folder).identity
    moved = folder.rename(tmp_path / "elsewhere")
    assert suite.ExportedRun(moved).identity == before
