"""Merging shards: the records and the results of an unsharded run, whatever happened to the shards."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from small_tasks import Spell, cells, plan_of, run, without_times

from suite.cli.main import cli
from suite.errors import DamagedError, PluginError, RunError
from suite.files import part_of, replacing
from suite.journal.commands import commands
from suite.journal.journal_file import folder_lock
from suite.journal.lines import Lines
from suite.journal.merges import Merge
from suite.journal.records import AttemptRecord, BlockRecord, CallRecord, CommandRecord, SpentRecord, encode
from suite.journal.repairs import repair, sizes
from suite.journal.run import Run
from suite.journal.shards import Shard, leases
from suite.report.remarks import remarks
from suite.report.run_list import ListedRun, list_runs
from suite.report.text_templates import text_lines
from suite.run.lease_folder import LeaseFolder
from suite.run.merging import merge_shards
from suite.run.plan import Plan

JUDGED = {"candidate": "scripted/echo", "judge": "scripted/echo"}
JOURNALS = ("blocks", "calls", "outputs", "scorings/*/scores", "scorings/*/calls", "scorings/*/blocks")
SWEEP = ({"turns": 0}, {"turns": 2})


def plan(sweep: Sequence[dict[str, Any]] = SWEEP, **request: Any) -> Plan:
    return plan_of(JUDGED, cells(Spell, *sweep), **request)


def shard(whole: Plan, root: Path, which: int, of: int, stages: Sequence[str] = ("solve", "score")) -> Path:
    """Work on a shard until it is done; its lease."""
    folder = LeaseFolder(whole, root, Shard(which, of), stages)
    outcome = asyncio.run(run(folder.plan, folder, stages=stages))
    assert outcome.exit_code == 0, outcome
    return folder.own


def records(folder: Path) -> dict[str, list[str]]:
    """The records of a run, sorted, but for times."""
    found: dict[str, list[str]] = {}
    for pattern in JOURNALS:
        for path in folder.glob(f"{pattern}.jsonl"):
            lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
            for line in lines:
                for of_clock in ("crc", "times", "kept"):
                    line.pop(of_clock, None)
            name = path.relative_to(folder).as_posix()
            found[name] = sorted(msgspec.json.encode(line, order="sorted").decode() for line in lines)
    return found


def results(folder: Path) -> Any:
    return replace(without_times(Run(folder).results), run="")


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Each file with its inode and bytes."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.stat().st_ino, path.read_bytes()) for path in paths}


def merge_lines(merge: Merge) -> list[str]:
    """What the command prints."""
    return text_lines("cli/texts.j2", "merged", merge)


def states(merge: Merge) -> dict[str, str]:
    return {one.shard: one.state for one in merge.shards}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run without shards."""
    folder = tmp_path_factory.mktemp("local") / "run"
    asyncio.run(run(plan(), folder))
    return folder


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run in three shards, not merged."""
    folder = tmp_path_factory.mktemp("three") / "run"
    for which in range(3):
        shard(plan(), folder, which, 3)
    return folder


@pytest.fixture
def shards(three: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(three, tmp_path / "run"))


def test_a_merged_run_is_the_run_without_shards(shards: Path, local: Path) -> None:
    (told,) = merge_shards(shards, plan().cells)
    assert (told.complete, told.done, told.samples.taken, told.groups.taken) == (True, 24, 24, 12)
    assert records(shards) == records(local)
    assert results(shards) == results(local)
    assert Run(shards).manifest.plan_sha256 == Run(local).manifest.plan_sha256 == told.plan_sha256


def test_a_second_merge_writes_nothing_and_no_merge_touches_a_shard(shards: Path) -> None:
    before = everything(shards / "shards")
    merge_shards(shards, plan().cells)
    once = everything(shards)
    merge_shards(shards, plan().cells)
    assert everything(shards) == once
    assert everything(shards / "shards") == before


def test_what_is_missing_is_named_with_its_share(shards: Path) -> None:
    lost = len(list(Run(shards / "shards/2-of-3/0001").outputs()))
    shutil.rmtree(shards / "shards/2-of-3")
    (told,) = merge_shards(shards, plan().cells)
    assert states(told) == {"1-of-3": "merged", "2-of-3": "missing", "3-of-3": "merged"}
    assert (told.complete, told.done, told.samples.taken) == (False, 24 - lost, 24 - lost)
    (text,) = [one.text for one in remarks(Run(shards)) if "Merged without" in one.text]
    share = f"{round(100 * lost / 24)} % of the groups and {round(100 * lost / 24)} % of the samples"
    assert text.startswith(f"Merged without 1 of 3 shards (2-of-3): {share} are not there.")
    assert "random share" in text
    assert Run(shards).results.pending == lost


def test_a_lost_shard_that_is_done_again_completes_the_run(shards: Path, local: Path) -> None:
    shutil.rmtree(shards / "shards/2-of-3")
    merge_shards(shards, plan().cells)
    shard(plan(), shards, 1, 3)
    assert merge_shards(shards, plan().cells)[0].complete
    assert records(shards) == records(local)
    assert not any("Merged without" in one.text for one in remarks(Run(shards)))


def test_what_was_taken_of_a_shard_stays_when_its_folder_is_gone(shards: Path) -> None:
    (shards / "shards/2-of-3/0001/spent.jsonl").write_bytes(encode(SpentRecord(1, "c" * 43)))
    (first,) = merge_shards(shards, plan().cells)
    merged, numbers = records(shards), results(shards)
    for gone in ("shards/1-of-3", "shards"):
        shutil.rmtree(shards / gone)
        assert merge_shards(shards, plan().cells) == [first]
        assert (records(shards), results(shards)) == (merged, numbers)
    attempts = [one.event for one in Run(shards).journal.attempts]
    assert (attempts.count("start"), len((shards / "spent.jsonl").read_bytes().splitlines())) == (3, 1)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"plan": {"data": {"x": {"rows": 3}}}}, "plan.data.x (only in this plan)"),
        ({"plan": {"seed": 7}}, "plan.seed (0 there, 7 here)"),
        ({"shard": [0, 3]}, "shard ('2/3' there, '1/3' here)"),
        ({"suite": "0.0.1"}, "suite ('0.1.0' there, '0.0.1' here)"),
        ({"code": {"words/spell": {"distribution": "t", "sha256": ""}}}, "code.words/spell.distribution ("),
    ],
)  # fmt: skip
def test_a_foreign_shard_is_left_out_and_why_is_told(shards: Path, change: dict[str, Any], why: str) -> None:
    path = shards / "shards/2-of-3/0001/manifest.json"
    manifest = msgspec.json.decode(path.read_bytes())
    for name, value in change.items():
        manifest[name] = {**manifest[name], **value} if isinstance(value, Mapping) else value
    path.write_bytes(msgspec.json.encode(manifest))
    (told,) = merge_shards(shards, plan().cells)
    (line,) = [line for line in merge_lines(told) if "left out" in line]
    assert line.startswith("! 2-of-3 is foreign and left out, differing: " + why)
    assert told.done == len(list(Run(shards).outputs())) < 24


def test_shards_of_another_number_are_foreign(shards: Path) -> None:
    shutil.copytree(shards / "shards/1-of-3", shards / "shards/1-of-4")
    (told,) = merge_shards(shards, plan().cells)
    assert states(told)["1-of-4"] == "foreign"
    assert (told.done, told.complete) == (24, False)


LOSSES = [("calls.jsonl", 0), ("outputs.jsonl", 0), ("outputs.jsonl", -20), ("scorings/*/scores.jsonl", 0)]


@pytest.mark.parametrize(("name", "end"), LOSSES)
def test_what_was_merged_of_a_shard_stays_when_its_files_are_cut(shards: Path, name: str, end: int) -> None:
    merge_shards(shards, plan().cells)
    merged = records(shards)
    (path,) = (shards / "shards/1-of-3/0001").glob(name)
    path.write_bytes(path.read_bytes()[:end])
    for _ in range(2):
        (told,) = merge_shards(shards, plan().cells)
        assert records(shards) == merged
        assert told.shards[0].stay > 0
        assert any("1-of-3 holds" in line and "they stay" in line for line in merge_lines(told))


def test_the_command_ends_with_1_where_a_shard_has_lost_records(
    shards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command(shards, monkeypatch=monkeypatch).exit_code == 0
    (shards / "shards/1-of-3/0001/calls.jsonl").unlink()
    assert command(shards, monkeypatch=monkeypatch).exit_code == 1


def test_a_shard_whose_later_lease_is_lost_keeps_what_was_merged_of_it(shards: Path) -> None:
    old = shards / "shards/1-of-3/0001"
    shutil.copytree(old, old.with_name("0002"))
    (old / "outputs.jsonl").write_bytes(b"")
    merge_shards(shards, plan().cells)
    merged = records(shards)
    shutil.rmtree(old.with_name("0002"))
    merge_shards(shards, plan().cells)
    assert records(shards) == merged


def test_without_its_task_a_run_is_merged_but_for_results(
    shards: Path, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*_: Any) -> Any:
        raise PluginError("task 'a' comes from units.py, which is not here")

    monkeypatch.setattr("suite.run.merging.cells_of", absent)
    done = CliRunner().invoke(cli, ["runs", "merge", str(shards)])
    assert isinstance(done.exception, PluginError)
    assert "the journals are merged, but results.json cannot be made: task 'a'" in done.exception.what
    assert "--task" in done.exception.fix
    assert records(shards) == records(local)
    assert not Run(shards).has_results


def test_files_of_tasks_that_moved_can_be_named(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[Any] = []
    monkeypatch.setattr("suite.run.merging.with_recorded", lambda *given: named.append(given[2]))
    assert command(shards, "--task", "./units.py", monkeypatch=monkeypatch).exit_code == 0
    assert named == [("./units.py",)]


def test_a_foreign_folder_of_a_higher_number_neither_counts_nor_locks(shards: Path) -> None:
    for which in (1, 2, 3):
        shutil.copytree(shards / f"shards/{which}-of-3", shards / f"shards/{which}-of-5")
    (shards / "shards/4-of-9").mkdir()
    (told,) = merge_shards(shards, plan().cells)
    assert sorted(states(told).values()) == ["foreign"] * 3 + ["merged"] * 3
    assert told.done == 24
    assert merge_lines(told)[0].startswith("merged 3 of 3 shards")
    assert any("1-of-5 is foreign" in line and "move its folder away" in line for line in merge_lines(told))
    LeaseFolder(plan(), shards, Shard(0, 3), ("solve", "score")).check_division()
    with pytest.raises(RunError, match="divided into 3 shards, not 5"):
        LeaseFolder(plan(), shards, Shard(0, 5), ("solve", "score")).check_division()


def test_empty_folders_of_another_number_are_no_missing_shards(shards: Path) -> None:
    for which in range(1, 6):
        (shards / f"shards/{which}-of-5").mkdir()
    (told,) = merge_shards(shards, plan().cells)
    assert (told.complete, len(told.shards)) == (True, 3)


def test_results_of_a_scoring_to_which_nothing_new_came_stay(shards: Path) -> None:
    merge_shards(shards, plan().cells)
    (path,) = shards.glob("scorings/*/results.json")
    before = path.read_bytes()
    with (shards / "attempts.jsonl").open("ab") as file:
        file.write(encode(AttemptRecord(9e9, "start")) + encode(AttemptRecord(9e9 + 50, "finish")))
    merge_shards(shards, plan().cells)
    assert path.read_bytes() == before


@pytest.mark.parametrize("words", [["runs", "show"], ["runs", "samples"], ["compare"]])
def test_what_shows_a_run_says_that_its_shards_are_not_merged(shards: Path, words: list[str]) -> None:
    done = CliRunner().invoke(cli, [*words, str(shards), *([str(shards)] if words == ["compare"] else [])])
    told = f"{done.output} {done.exception}"
    assert "in shards that are not merged yet: suite runs merge" in " ".join(told.split())


def test_a_merge_waits_for_another_and_says_so(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("suite.run.merging.PATIENCE_S", 0.01)
    with folder_lock(shards), pytest.raises(RunError, match="another merge of this run is going on"):
        merge_shards(shards, plan().cells)


@pytest.mark.parametrize("name", ["calls.jsonl", "outputs.jsonl", "attempts.jsonl"])
def test_a_torn_end_is_cut_in_the_view_alone(shards: Path, local: Path, name: str) -> None:
    path = shards / "shards/3-of-3/0001" / name
    path.write_bytes(path.read_bytes()[:-7])
    before = everything(shards / "shards")
    (told,) = merge_shards(shards, plan().cells)
    assert told.shards[2].torn[name] == 1
    assert any(line.startswith("! 3-of-3 is torn") and name in line for line in merge_lines(told))
    assert everything(shards / "shards") == before
    merged, whole = records(shards), records(local)
    assert all(set(merged[one]) <= set(whole[one]) for one in whole)


def test_damage_before_good_records_names_file_and_line_and_changes_nothing(shards: Path) -> None:
    path = shards / "shards/3-of-3/0001/calls.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Remember", b"Remembex", 1).replace(b'"id":"', b'"id":"x', 1))
    before = set(everything(shards))
    with pytest.raises(DamagedError, match=r"calls.jsonl line 1 was changed") as caught:
        merge_shards(shards, plan().cells)
    assert "3-of-3/0001" in caught.value.where
    assert set(everything(shards)) - before <= {".lock"}


def test_what_a_stopped_owner_wrote_after_a_takeover_changes_nothing(shards: Path, local: Path) -> None:
    old, other = shards / "shards/1-of-3/0001", shards / "shards/2-of-3/0001"
    shutil.copytree(old, old.with_name("0002"))
    for name in ("outputs.jsonl", "calls.jsonl"):
        with (old / name).open("ab") as file:
            file.write((other / name).read_bytes()[:-1].replace(b'"text":"', b'"text":"late', 1))
    merge_shards(shards, plan().cells)
    assert records(shards) == records(local)


def cut_short(lease: Path, shares: Sequence[float]) -> None:
    """What a power cut may leave: a beginning of each file."""
    for path, share in zip(sorted(lease.rglob("*.jsonl")), shares, strict=False):
        body = path.read_bytes()
        path.write_bytes(body[: round(share * len(body))])


def write_late(lease: Path) -> None:
    """What an owner that wakes may still write: records, and half of one."""
    for path in lease.rglob("*.jsonl"):
        late = encode(BlockRecord("late" * 5, "user", "late")) if path.stem == "blocks" else b""
        path.write_bytes(path.read_bytes() + late + b'{"id":"la')


@given(
    data=st.data(),
    of=st.sampled_from([1, 2, 5]),
    sweep=st.lists(st.sampled_from([0, 1, 33]), min_size=1, max_size=2, unique=True),
    request=st.fixed_dictionaries(
        {"trials": st.integers(1, 2), "seed": st.integers(0, 3), "limit": st.sampled_from([None, 5])}
    ),
)
@settings(max_examples=6, deadline=None)
def test_whatever_happens_to_shards_their_run_is_the_run_without(
    data: st.DataObject,
    of: int,
    sweep: list[int],
    request: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    base = tmp_path_factory.mktemp("any")
    whole = plan([{"turns": one} for one in sweep], **request)
    asyncio.run(run(whole, base / "local"))
    faults = data.draw(st.lists(st.sampled_from(["", "cut", "lost"]), min_size=of, max_size=of), "faults")
    shares = st.lists(st.floats(0, 1), min_size=9, max_size=9)
    cuts = [data.draw(shares, "cuts") if fault == "cut" else [] for fault in faults]
    for which, fault in enumerate(faults):
        lease = shard(whole, base / "run", which, of)
        if fault == "lost":
            shutil.rmtree(lease.parent)
        elif fault == "cut":
            cut_short(lease, cuts[which])
    local = records(base / "local")
    if set(faults) != {"lost"}:
        merge_shards(base / "run", whole.cells)
        assert repair(base / "run") == {}
        assert all(set(some) <= set(local[name]) for name, some in records(base / "run").items())
    for which in range(of):
        shard(whole, base / "run", which, of)
        for old in leases(Shard(which, of).folder(base / "run"))[:-1]:
            write_late(old)
    assert merge_shards(base / "run", whole.cells)[0].complete
    once = everything(base / "run")
    merge_shards(base / "run", whole.cells)
    assert everything(base / "run") == once
    assert records(base / "run") == local
    assert results(base / "run") == results(base / "local")


def test_what_a_shard_writes_while_it_is_read_is_left_for_the_next_merge(
    shards: Path, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = shutil.copytree(shards / "shards/1-of-3/0001", shards.parent / "whole")
    for path in (shards / "shards/1-of-3/0001").rglob("*.jsonl"):
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:4] if path.stem in ("outputs", "scores") else lines))

    def sizes_then_more(folder: Path) -> dict[Path, int]:
        found = sizes(folder)
        if folder.parent.name == "1-of-3":
            shutil.copytree(whole, folder, dirs_exist_ok=True)
        return found

    monkeypatch.setattr("suite.run.merging.sizes", sizes_then_more)
    (told,) = merge_shards(shards, plan().cells)
    assert told.done < 24
    assert all(not one.torn for one in told.shards)
    monkeypatch.undo()
    assert merge_shards(shards, plan().cells)[0].complete
    assert records(shards) == records(local)


def test_starts_of_all_shards_stand_in_order_of_time(shards: Path) -> None:
    for which, at in enumerate((300.0, 100.0, 200.0), 1):
        path = shards / f"shards/{which}-of-3/0001/attempts.jsonl"
        path.write_bytes(encode(AttemptRecord(at, "start")) + encode(AttemptRecord(at + 50, "finish")))
    merge_shards(shards, plan().cells)
    attempts = [one.at for one in Run(shards).journal.attempts]
    assert attempts == sorted(attempts) == [100.0, 150.0, 200.0, 250.0, 300.0, 350.0]


def test_what_was_noted_in_the_run_itself_since_stays(shards: Path) -> None:
    merge_shards(shards, plan().cells)
    since = encode(AttemptRecord(9e9, "start", "later"))
    with (shards / "attempts.jsonl").open("ab") as file:
        file.write(since)
    before = everything(shards)
    merge_shards(shards, plan().cells)
    assert everything(shards) == before


def test_tries_under_a_budget_are_numbered_over_all_shards(shards: Path) -> None:
    for which in (1, 2):
        spent = [SpentRecord(number, f"{which}" * 43) for number in (1, 2, 2)]
        (shards / f"shards/{which}-of-3/0001/spent.jsonl").write_bytes(b"".join(map(encode, spent)))
    merge_shards(shards, plan().cells)
    lines = [msgspec.json.decode(line) for line in (shards / "spent.jsonl").read_bytes().splitlines()]
    assert [(one["number"], one["call"][0]) for one in lines] == [
        (1, "1"), (2, "1"), (2, "1"), (3, "2"), (4, "2"), (4, "2"),
    ]  # fmt: skip


def test_a_run_whose_shards_are_not_merged_says_so(shards: Path) -> None:
    (shards / "shards/1-of-3/0001/outputs.jsonl").touch()
    assert any("not merged yet: suite runs merge" in one.text for one in remarks(Run(shards)))
    assert [one.state for one in list_runs(shards.parent) if isinstance(one, ListedRun)] == ["running"]
    merge_shards(shards, plan().cells)
    assert not any("merge" in one.text for one in remarks(Run(shards)))
    assert [one.state for one in list_runs(shards.parent) if isinstance(one, ListedRun)] == ["finished"]


def test_a_run_without_shards_has_nothing_to_merge(local: Path) -> None:
    with pytest.raises(RunError, match="has no shards to merge"):
        merge_shards(local)


def test_a_scoring_in_shards_is_the_scoring_without(tmp_path: Path, local: Path) -> None:
    asyncio.run(run(plan(), tmp_path / "run", stages=("solve",)))
    before = everything(tmp_path / "run")
    scoring = plan().scoring_id
    lease = shard(plan(), tmp_path / "run", 0, 2, ("score",))
    (told,) = merge_shards(tmp_path / "run", plan().cells)
    done = len((lease / "scores.jsonl").read_bytes().splitlines())
    assert (told.scoring, told.complete, told.done, told.samples.taken) == (scoring, False, done, done)
    assert states(told) == {"1-of-2": "merged", "2-of-2": "missing"}
    shard(plan(), tmp_path / "run", 1, 2, ("score",))
    (told,) = merge_shards(tmp_path / "run", plan().cells)
    assert (told.complete, told.done) == (True, 24)
    assert records(tmp_path / "run") == records(local)
    assert results(tmp_path / "run") == results(local)
    after = everything(tmp_path / "run")
    assert {name for name, was in before.items() if after[name] != was} <= {"attempts.jsonl"}


def command(folder: Path, *words: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("suite.run.merging.cells_of", lambda run, plugins: plan().cells)
    return CliRunner().invoke(cli, ["runs", "merge", str(folder), *words])


def test_the_command_ends_with_1_until_all_is_there(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = shutil.move(shards / "shards/2-of-3", shards.parent / "lost")
    done = command(shards, monkeypatch=monkeypatch)
    assert done.exit_code == 1, done.output
    assert "merged 2 of 3 shards" in done.output
    assert "(2-of-3)" in (shards / "report.md").read_text()
    shutil.move(lost, shards / "shards/2-of-3")
    done = command(shards, monkeypatch=monkeypatch)
    assert (done.exit_code, "Merged without" in done.output) == (0, False), done.output
    assert "2-of-3" not in (shards / "report.md").read_text()
    before = everything(shards)
    assert command(shards, monkeypatch=monkeypatch).exit_code == 0
    assert everything(shards) == before


def test_the_command_ends_with_2_for_a_foreign_shard(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(shards / "shards/1-of-3", shards / "shards/1-of-4")
    done = command(shards, "--json", monkeypatch=monkeypatch)
    assert done.exit_code == 2
    (told,) = msgspec.json.decode(done.stdout)
    assert told["shards"][-1]["state"] == "foreign"


def test_seconds_are_those_when_any_shard_was_at_work(shards: Path) -> None:
    times = {1: (100.0, 160.0), 2: (150.0, 170.0), 3: (300.0, 310.0)}
    for which, (start, end) in times.items():
        lease = shards / f"shards/{which}-of-3/0001"
        (lease / "attempts.jsonl").write_bytes(
            encode(AttemptRecord(start, "start")) + encode(AttemptRecord(end, "finish"))
        )
        for path in (lease / "calls.jsonl", *lease.glob("scorings/*/calls.jsonl")):
            calls = [replace(call, times=(start, end)) for call in Lines(path, CallRecord)]
            path.write_bytes(b"".join(map(encode, calls)))
    merge_shards(shards, plan().cells)
    assert Run(shards).results.seconds == 80


def test_a_command_that_began_all_shards_is_told_once(shards: Path) -> None:
    for which in (1, 2, 3):
        record = CommandRecord("suite eval --shards 3", at=f"2026-01-01T00:00:0{which}Z")
        (shards / f"shards/{which}-of-3/0001/commands.jsonl").write_bytes(encode(record))
    merge_shards(shards, plan().cells)
    assert [one.at[-3:] for one in commands(shards)] == ["01Z"]


def test_of_two_who_write_a_file_at_once_none_puts_a_half_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(b"before")
    with pytest.raises(OSError, match="another process writes it, too"), replacing(path) as file:
        file.write(b"whole")
        part_of(path).unlink()
        part_of(path).write_bytes(b"ha")
    assert path.read_bytes() == b"before"
