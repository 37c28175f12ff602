"""Samples in natural order; calls rebuilt, long histories folded."""

from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from suite.journal.journal_file import JournalFile
from suite.journal.run import Run
from suite.report.sample_choice import natural
from suite.report.traces import Trace, traces

Make = Callable[..., Path]


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
