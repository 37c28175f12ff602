"""The samples on the page: every cell and every way to fail; calls rebuilt, long histories folded."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from suite.journal.journal_file import JournalFile
from suite.journal.run import Run
from suite.report.sample_choice import natural, pick
from suite.report.traces import Trace, traces

Make = Callable[..., Path]


def test_a_small_run_is_shown_whole_in_the_order_of_cells_and_ids(make_run: Make) -> None:
    run = Run(make_run())
    choice = pick(run, 200)
    assert len(choice.picked) == choice.total == 7 * 12 - 2
    cells = [cell.cell for cell in run.manifest.cells]
    keys = [(cells.index(one.key.cell), natural(one.key.sample)) for one in choice.picked]
    assert keys == sorted(keys)


def test_few_samples_still_show_every_cell_and_every_failure(make_run: Make) -> None:
    run = Run(make_run(samples=60))
    choice = pick(run, 40)
    assert len(choice.picked) == 40
    assert len({one.key.cell for one in choice.picked}) == 7
    outcomes = Counter(one.outcome for one in choice.picked)
    assert outcomes["unscored"] >= 7
    assert outcomes["kept: no"] >= 5
    assert outcomes["kept: yes"] >= 5
    assert any(one.output.output.finish == "length" for one in choice.picked)
    assert choice.kinds["unscored"] == sum(
        any(cell.unscored.values()) and sum(cell.unscored.get(name, {}).values())
        for cell in run.results.cells
        for name in ("kept", "metric_kept")
    )


def test_cells_show_the_same_samples(make_run: Make) -> None:
    run = Run(make_run(samples=200, pending=0, turns=(0,)))
    by_cell: dict[str, set[str]] = {}
    for one in pick(run, 90).picked:
        by_cell.setdefault(one.key.cell, set()).add(one.key.sample)
    first, second, _ = by_cell.values()
    assert len(first & second) >= 8  # by chance about 4


def test_outputs_without_scores_are_shown_as_such(make_run: Make) -> None:
    choice = pick(Run(make_run(scored=False)), 10)
    assert {one.outcome for one in choice.picked} == {"not scored yet"}


def test_the_choice_does_not_depend_on_the_order_of_records(make_run: Make) -> None:
    folder = make_run(samples=60)
    first = [one.key for one in pick(Run(folder), 30).picked]
    for path in (folder / "outputs.jsonl", folder / "scorings/abc12345/scores.jsonl"):
        path.write_bytes(b"".join(reversed(path.read_bytes().splitlines(keepends=True))))
    assert [one.key for one in pick(Run(folder), 30).picked] == first


@given(st.lists(st.text("ab/0129", max_size=8)))
def test_natural_order_is_an_order(texts: list[str]) -> None:
    assert sorted(texts, key=natural) == sorted(sorted(texts, reverse=True), key=natural)


def test_natural_order_counts() -> None:
    assert sorted(["a/10", "a/9", "b/1", "a/1"], key=natural) == ["a/1", "a/9", "a/10", "b/1"]


def trace_of(run: Run, turns: int) -> list[Trace]:
    cells = [c.cell for c in run.manifest.cells if c.parameters.get("inter_turns") == turns]
    output = next(one for one in run.outputs() if one.cell == cells[-1])
    found = list(traces(run, output.calls))
    assert all(isinstance(one, Trace) for one in found)
    return [one for one in found if isinstance(one, Trace)]


def test_a_short_conversation_is_shown_whole(make_run: Make) -> None:
    first, second = trace_of(Run(make_run()), 0)
    assert [said.role for said in first.head] == ["user"]
    assert (first.hidden, first.between, first.tail) == (0, [], [])
    assert [said.role for said in second.head] == ["user", "assistant", "user"]
    assert first.call.reply.text.startswith("answer")


def test_messages_between_are_kept_to_unfold_if_they_are_few(make_run: Make) -> None:
    first, _ = trace_of(Run(make_run(turns=(6,))), 6)
    assert (len(first.head), len(first.between), len(first.tail), first.hidden) == (2, 8, 3, 0)
    assert [said.role for said in (*first.head, *first.between, *first.tail)][:3] == [
        "user",
        "assistant",
        "user",
    ]


def test_of_a_long_history_the_middle_is_a_number(make_run: Make) -> None:
    first, second = trace_of(Run(make_run()), 40)
    assert (len(first.head), first.hidden, len(first.tail)) == (2, 76, 3)
    assert (second.continues, second.shared) == (1, 81)
    assert [said.text for said in second.head][-1] == "Sure?"


def test_a_missing_call_is_a_sentence(make_run: Make) -> None:
    run = Run(make_run())
    assert list(traces(run, ["f" * 64])) == [f"Call {'f' * 12} is not in the journal."]


def test_a_missing_block_is_a_sentence(make_run: Make) -> None:
    folder = make_run()
    (folder / "blocks.jsonl").unlink()
    JournalFile(folder / "blocks.jsonl").close()
    run = Run(folder)
    output = next(run.outputs())
    assert all("has no block" in str(one) for one in traces(run, output.calls))
