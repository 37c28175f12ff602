"""What a page is given of a run's samples: all of them, as the journal has them, whatever they say."""

import gzip
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suite.blocks import Table, Text
from suite.journal.journal_file import JournalFile
from suite.journal.pairs import Key
from suite.journal.records import OutputRecord, ScoreRecord
from suite.journal.run import Run
from suite.report.hostile_text import clean, one_line
from suite.report.viewer import bodies
from suite.report.viewer import source as source_module
from suite.report.viewer.columns import ScoredValues, ValueTerms
from suite.report.viewer.source import ViewSource
from suite.secrets import remember
from suite.task import Output, Part, Unscored, Value
from tests.report.making_runs import Build, build_run
from tests.report.viewer.reading_views import ViewRow, read_source

Make = Callable[..., Path]
RECORDED = Path(__file__).parents[2] / "recorded" / "runs"
SMALL: dict[str, Any] = {"turns": (0,), "methods": ("plain",)}
ANYTHING = st.text(max_size=120)


def shown(value: Value) -> object:
    if isinstance(value, Unscored):
        return {"u": clean(value.reason)} | ({"detail": clean(value.detail)} if value.detail else {})
    return clean(value) if isinstance(value, str) else value


def listed(value: Value) -> object:
    if isinstance(value, Unscored):
        return "unscored", one_line(value.reason)
    return one_line(value) if isinstance(value, str) else value


def held_against_the_journal(run: Run, rows: list[ViewRow]) -> None:
    found = {(row.cell, row.sample, row.trial): row for row in rows}
    pairs = list(run.pairs())
    assert len(rows) == len(found) == len(pairs)
    for output, score in pairs:
        row = found[output.cell, clean(output.sample), output.trial]
        text = clean(run.text(output))
        assert row.text(row.body["text"]) == text
        said = run.text(output) or output.output.data is None
        assert row.answer == one_line(text, 140) if said else not row.answer.startswith('{"kind')
        assert row.finish == output.output.finish
        assert row.tags == {clean(name): one_line(one) for name, one in output.tags.items()}
        values = score.values if score else {}
        assert row.body.get("values", {}) == {clean(name): shown(one) for name, one in values.items()}
        assert {name: row.values[name] for name in values} == {n: listed(one) for n, one in values.items()}
        assert all(one is None for name, one in row.values.items() if name not in values)
        parts = [
            {"id": one.id, "tags": dict(one.tags), "values": {n: shown(v) for n, v in one.values.items()}}
            for one in (score.parts if score else ())
        ]
        assert row.body.get("parts", []) == parts
        ids = [*output.calls, *(score.calls if score else ())]
        calls = [one.call for one in map(run.call, ids) if one is not None]
        assert [row.text(one["reply"]) for one in row.calls()] == [clean(one.reply.text) for one in calls]
        assert [one["finish"] for one in row.calls()] == [one.reply.finish for one in calls]
        tokens = sum(one.reply.usage.prompt + one.reply.usage.completion for one in calls)
        assert (row.cost[0], row.cost[2]) == (tokens, len(calls))


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(ANYTHING, min_size=3, max_size=3), tag=ANYTHING, samples=st.integers(0, 4))
def test_every_row_says_what_the_journal_says(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], tag: str, samples: int
) -> None:
    build = Build(
        samples=samples, turns=(0, 6), methods=("plain",), pending=1, scored=samples != 3,
        text=lambda cell, sample: texts[(cell + sample) % 3], tag=lambda sample: tag if sample else "pets",
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("any")
    run = Run(build_run(folder, build))
    held_against_the_journal(run, read_source(ViewSource(run)))
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["choices", "pairs", "panel", "rewards", "travel", "unfinished"])
def test_runs_of_older_versions_are_shown_whole(name: str, tmp_path: Path) -> None:
    with tarfile.open(RECORDED / f"{name}.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    (folder,) = (path.parent for path in tmp_path.rglob("outputs.jsonl"))
    run = Run(folder)
    held_against_the_journal(run, read_source(ViewSource(run)))


def test_rows_stand_by_sample_then_cell(make_run: Make) -> None:
    run = Run(make_run(samples=12))
    rows = read_source(ViewSource(run))
    cells = [cell.cell for cell in run.manifest.cells]
    assert [row.sample for row in rows][:7] == ["music/2"] * 7
    assert [row.cell for row in rows][:7] == cells
    assert list(dict.fromkeys(row.sample for row in rows))[:4] == [
        "music/2",
        "music/5",
        "music/8",
        "music/11",
    ]


def test_cells_of_a_sample_lie_in_one_part(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "PART_SIZE", 500)
    source = ViewSource(Run(make_run()))
    parts = [json.loads(gzip.decompress(one)) for one in source.parts()]
    columns = json.loads(gzip.decompress(source.index()))["samples"]
    assert len(parts) > 5
    places = set(zip(columns["id"], columns["part"], strict=True))
    assert len(places) == len({sample for sample, _ in places})


def test_a_torn_run_that_is_not_scored_is_shown_as_far_as_it_goes(make_run: Make) -> None:
    folder = make_run(scored=False)
    before = len(read_source(ViewSource(Run(folder))))
    for name in ("outputs", "calls", "blocks"):
        with (folder / f"{name}.jsonl").open("ab") as file:
            file.write(b'{"cell":"0123')
    rows = read_source(ViewSource(Run(folder)))
    assert len(rows) == before
    assert {row.outcome for row in rows} == {"pending"}


def test_a_run_whose_messages_are_gone_says_so_at_its_calls(make_run: Make) -> None:
    folder = make_run(**SMALL)
    (folder / "blocks.jsonl").unlink()
    row = read_source(ViewSource(Run(folder)))[0]
    assert (row.question, row.answer) == ("", "answer 2 of cell 0")
    assert all("blocks.jsonl has no block" in one for one in row.body["calls"][:2])


def test_a_run_without_outputs_has_an_index_and_no_part(make_run: Make) -> None:
    assert read_source(ViewSource(Run(make_run(scored=False, samples=0)))) == []


def test_only_rows_asked_for_are_there(make_run: Make) -> None:
    run = Run(make_run())
    keys = [Key.of(one) for one in run.outputs()][5:8]
    rows = read_source(ViewSource(run, keys=keys))
    assert sorted((row.cell, row.sample, row.trial) for row in rows) == sorted(keys)


def test_without_texts_values_and_tags_stay_and_nothing_else(make_run: Make) -> None:
    run = Run(make_run(text=lambda c, s: "the words of a closed licence", tag=lambda s: "topic-1", **SMALL))
    told = {
        (row.sample, row.cell): {**row.values, "label": None, **row.tags}
        for row in read_source(ViewSource(run))
    }
    source = ViewSource(run, texts=False)
    bodies = [gzip.decompress(one).decode() for one in (*source.parts(), source.index())]
    rows = read_source(ViewSource(run, texts=False))
    assert {(r.sample, r.cell): {**r.values, "label": None, **r.tags} for r in rows} == told
    assert all(set(row.body) == {"values", "note"} for row in rows)
    assert "trains, not planes" not in "".join(bodies)


def test_a_text_in_another_is_kept_once(make_run: Make) -> None:
    answer = "An answer that is long enough to be worth looking for in what the judge is asked. " * 3
    rows = read_source(ViewSource(Run(make_run(text=lambda c, s: answer, samples=1, pending=0))))
    texts = rows[0].texts
    assert sum(answer in str(one) for one in texts) == 1
    judged = rows[0].calls()[-1]
    assert rows[0].text(judged["messages"][0][1]) == f"Does this fit? {answer}"


def test_long_texts_are_cut_and_say_so(make_run: Make) -> None:
    run = Run(make_run(text=lambda c, s: "x" * 5_000_000, samples=1, pending=0, turns=(0,), methods=("a",)))
    source = ViewSource(run)
    assert sum(map(len, source.parts())) < 100_000
    row = read_source(ViewSource(run))[0]
    assert row.texts[row.body["text"]] == ["x" * 20_000, 4_980_000]


def test_a_sample_with_too_much_text_lacks_calls_and_says_so(
    make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MOST_SIZE", 500)
    rows = read_source(ViewSource(Run(make_run(samples=1, pending=0))))
    assert rows[0].calls()
    assert "calls" not in rows[-1].body
    assert rows[-1].body["note"].endswith("Its calls are left out, since this sample has very much text.")
    assert rows[-1].text(rows[-1].body["text"]) == "answer 0 of cell 6"


def test_nothing_hostile_is_left_in_what_a_page_reads(make_run: Make) -> None:
    text = "</script><!-- \x1b[2J \u202e \x00 \x9b"
    source = ViewSource(
        Run(make_run(text=lambda c, s: text, tag=lambda s: text, candidate=f"vllm/{text}", **SMALL))
    )
    for body in (*source.parts(), source.index()):
        told = json.dumps(json.loads(gzip.decompress(body)), ensure_ascii=False)
        assert not set(told) & set("\x1b\u202e\x00\x9b")


def test_a_known_secret_is_in_no_part(make_run: Make) -> None:
    remember("sk-viewer-0123456789abcdef")
    source = ViewSource(
        Run(make_run(text=lambda c, s: "my key is sk-viewer-0123456789abcdef, keep it", **SMALL))
    )
    bodies = b"".join(gzip.decompress(one) for one in (*source.parts(), source.index()))
    assert b"my key is ***" in bodies
    assert b"0123456789abcdef" not in bodies


def test_a_block_that_cannot_be_told_harms_only_itself(
    make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: Any = object()
    own = (Table(("a",), [[broken]]), Text("the task's \x1b view"))
    monkeypatch.setattr(
        source_module, "own_views", lambda run, picked: ({picked[0].key: own}, "the data is not here")
    )
    rows = read_source(ViewSource(Run(make_run(samples=1, pending=0))))
    (blocks,) = filter(None, [row.blocks() for row in rows])
    assert [one["kind"] for one in blocks] == ["Text", "Text"]
    assert blocks[0]["text"].startswith("A block cannot be shown: ")
    assert blocks[1]["text"] == "the task's ␛ view"


def test_a_real_run_shows_its_tasks_own_view_of_every_row(mini_run: Path) -> None:
    rows = read_source(ViewSource(Run(mini_run)))
    assert len(rows) == 64
    for row in rows:
        (dialogue,) = (one for one in row.blocks() if one["kind"] == "Dialogue")
        assert row.text(row.body["text"]) in [turn["text"] for turn in dialogue["turns"]]
    assert {row.trial for row in rows} == {0, 1}


@pytest.mark.parametrize(
    ("value", "direction", "ends", "outcome"),
    [
        (True, "higher", None, "good"),
        (False, "higher", None, "bad"),
        (True, "lower", (0.0, 1.0), "bad"),
        (False, "lower", (0.0, 1.0), "good"),
        (True, "neither", (0.0, 1.0), "scored"),
        (10, "higher", (0.0, 10.0), "good"),
        (0.0, "higher", (0.0, 10.0), "bad"),
        (5, "higher", (0.0, 10.0), "between"),
        (1.0, "higher", (float("-inf"), 1.0), "good"),
        (7.0, "higher", None, "scored"),
        ("B", "higher", None, "scored"),
        (None, "higher", None, "scored"),
        (Unscored("no-verdict"), "higher", None, "unscored"),
    ],
)
def test_an_outcome_follows_direction_and_range(
    value: Value, direction: str, ends: tuple[float, float] | None, outcome: str
) -> None:
    told = ScoredValues("kept", {"kept": ValueTerms(direction, ends)})
    score = ScoreRecord(cell="0" * 12, sample="a", output_sha256="0" * 20, values={"kept": value})
    assert told.outcome(score) == outcome


def added(folder: Path, parts: int = 0, reasoning: str = "") -> ViewRow:
    """The row of an imported answer that is written into a run."""
    cell = Run(folder).manifest.cells[0].cell
    output = OutputRecord(
        cell=cell, sample="imported/1", payload_sha256="", output=Output("said"), imported=True,
        reasoning=reasoning,
    )  # fmt: skip
    votes = [Part(f"vote {number}", {"yes": None}) for number in range(parts)]
    score = ScoreRecord(cell=cell, sample="imported/1", output_sha256="2" * 64, values={}, parts=votes)
    for name, record in (("outputs", output), ("scorings/abc12345/scores", score)):
        file = JournalFile(folder / f"{name}.jsonl")
        file.append(record)
        file.close()
    return next(row for row in read_source(ViewSource(Run(folder))) if row.sample == "imported/1")


def test_an_imported_answer_has_its_reasoning_and_no_calls(make_run: Make) -> None:
    row = added(make_run(**SMALL), reasoning="because \x1b")
    assert (row.question, row.answer, row.outcome, row.cost) == ("", "said", "scored", (0, 0.0, 0))
    assert row.blocks() == [{"kind": "Text", "text": "because ␛", "title": "Reasoning"}]
    assert "calls" not in row.body


def test_parts_beyond_the_most_are_counted(make_run: Make) -> None:
    row = added(make_run(**SMALL), parts=203)
    assert len(row.body["parts"]) == 200
    assert row.body["note"].endswith(" 3 more parts of the score are in scores.jsonl.")


def test_answers_without_text_are_told_by_the_facts_that_differ(tmp_path: Path) -> None:
    with tarfile.open(RECORDED / "rewards.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    (folder,) = (path.parent for path in tmp_path.rglob("outputs.jsonl"))
    told = [row.answer for row in read_source(ViewSource(Run(folder)))]
    assert len(set(told)) > 1
    assert all("prefers: " in one and "kind: " not in one and "{" not in one for one in told)
