"""What goes wrong around a run: endpoints, disks, journals, other processes. Nothing is lost or changed."""

import asyncio
import contextlib
import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer
from small_tasks import Many, Spell, Word, cells, pending_reasons, plan_of, run, scripted, without_times

import suite
from suite.errors import EngineError, RunError
from suite.journal.journal_file import JournalFile, folder_lock
from suite.journal.run import Run

# fault -> kind it is recorded as
BROKEN = {
    "500": "status-500", "503": "status-503", "429": "status-429", "reset": "reset", "half-body": "half-body",
    "bad-json": "bad-json", "html": "bad-json", "wrong-shape": "bad-json", "error-200": "error-in-body",
    "empty-choices": "no-choices", "401": "status-401", "400": "status-400",
}  # fmt: skip
CANDIDATES = {
    "null-content": "empty",
    "empty-content": "empty",
    "content-filter": "refused",
    "length": "length",
}


class OneBad(Many):
    """Ten samples, the fourth of which carries a fault in its text."""

    words = 10
    fault = ""

    async def solve(self, sample: suite.Sample[Word], models: suite.Models) -> suite.Output:
        mark = f" [[fault:{self.fault}]]" if sample.id == "w3" else ""
        reply = await models.candidate.chat([suite.user(f"{sample.payload.word}{mark}")], max_tokens=50)
        return suite.Output(reply.text, finish=reply.finish)


def with_fault(fault: str) -> type[OneBad]:
    return type("OneBad", (OneBad,), {"fault": fault})


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_call_without_a_usable_reply_leaves_its_sample_pending(tmp_path: Path, fault: str) -> None:
    async with OpenAIServer() as server:
        options = [("", "base_url", server.url), ("", "timeout_s", "5")]
        plan = plan_of({"candidate": "openai/loopback"}, cells(with_fault(fault)), options=options)
        outcome = await run(plan, tmp_path / "run")
        assert outcome.exit_code == 1
        assert outcome.pending == 1
        reader = Run(tmp_path / "run")
        assert {output.sample for output in reader.journal.outputs} == {f"w{i}" for i in range(10)} - {"w3"}
        (found,) = pending_reasons(tmp_path / "run")
        assert found[0] == "solve"
        assert outcome.results is not None
        assert outcome.results.cells[0].pending == 1
        assert outcome.results.cells[0].metrics[0].n == 9
        assert not outcome.results.complete


@pytest.mark.parametrize("fault", CANDIDATES)
async def test_what_the_candidate_did_is_an_output(tmp_path: Path, fault: str) -> None:
    async with OpenAIServer() as server:
        options = [("", "base_url", server.url)]
        plan = plan_of({"candidate": "openai/loopback"}, cells(with_fault(fault)), options=options)
        outcome = await run(plan, tmp_path / "run")
        assert outcome.exit_code == 0
        assert outcome.results is not None
        assert outcome.results.cells[0].finishes[CANDIDATES[fault]] == 1
        assert outcome.results.cells[0].metrics[0].n == 10


async def test_faults_that_pass_are_retried_and_change_nothing(tmp_path: Path) -> None:
    results = []
    for name, fault in (("calm", ""), ("stormy", "429*2"), ("broken", "half-body*1")):
        async with OpenAIServer() as server:
            options = [("", "base_url", server.url)]
            plan = plan_of(
                {"candidate": "openai/loopback"}, cells(with_fault(fault or "ok")), options=options
            )
            outcome = await run(plan, tmp_path / name)
            assert outcome.exit_code == 0
            results.append(outcome.results)
            retries = [one for one in Run(tmp_path / name).journal.attempts if one.event == "retry"]
            assert len(retries) == {"calm": 0, "stormy": 2, "broken": 1}[name]
    finishes = [result.cells[0].finishes for result in results if result]
    assert finishes == [{"stop": 10}] * 3


async def test_resuming_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    async with OpenAIServer() as server:
        options = [("", "base_url", server.url)]
        made = cells(with_fault("500*6"))  # as often as one run tries
        first = await run(plan_of({"candidate": "openai/loopback"}, made, options=options), tmp_path / "run")
        assert first.pending == 1
        before = server.requests
        second = await run(plan_of({"candidate": "openai/loopback"}, made, options=options), tmp_path / "run")
        assert second.exit_code == 0
        assert server.requests == before + 1


async def test_an_endpoint_that_is_down_stops_the_run_before_it_starts(tmp_path: Path) -> None:
    options = [("", "base_url", "http://127.0.0.1:9/v1")]
    with pytest.raises(EngineError, match="refused"):
        await run(plan_of({"candidate": "openai/x"}, options=options), tmp_path / "run")
    assert not (tmp_path / "run").exists()


async def test_an_endpoint_that_dies_stops_the_run_soon(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo"}, cells(Many), concurrency=4)
    answered = 0

    def dying(request: Any, asking: Any) -> str:
        nonlocal answered
        answered += 1
        if answered > 50:
            raise suite.CallFailed("connect", "nobody is there", retryable=False)
        return "fine"

    engine = scripted(dying, plan)
    outcome = await run(plan, tmp_path / "run")
    assert outcome.exit_code == 2
    assert "in a row" in str(outcome.error)
    assert engine.calls < 90
    assert outcome.pending == 350


async def test_a_swallowed_failure_is_still_no_answer(tmp_path: Path) -> None:
    class Swallows(Many):
        words = 3

        async def solve(self, sample: suite.Sample[Word], models: suite.Models) -> suite.Output:
            with contextlib.suppress(suite.CallFailed):
                await models.candidate.chat([suite.user(sample.payload.word)])
            return suite.Output("made up")

    plan = plan_of({"candidate": "scripted/fail?kind=busy"}, cells(Swallows))
    outcome = await run(plan, tmp_path / "run")
    assert outcome.pending == 3
    assert list(Run(tmp_path / "run").journal.outputs) == []


async def test_a_judge_that_cannot_be_reached_leaves_the_score_pending(tmp_path: Path) -> None:
    models = {"candidate": "scripted/echo", "judge": "scripted/fail?kind=busy"}
    plan = plan_of(models)
    outcome = await run(plan, tmp_path / "run")
    assert outcome.exit_code in (1, 2)
    assert outcome.pending == 12
    assert {stage for stage, _ in pending_reasons(tmp_path / "run")} == {"score"}
    assert len(list(Run(tmp_path / "run").journal.outputs)) == 12
    healed = plan_of(models)
    scripted(lambda request, asking: "yay", healed, "judge")
    again = await run(healed, tmp_path / "run")
    assert again.exit_code == 0


async def test_a_verdict_that_cannot_be_read_is_unscored_and_counted(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo", "judge": "scripted/constant?text=cannot tell"})
    outcome = await run(plan, tmp_path / "run")
    assert outcome.exit_code == 0
    assert outcome.results is not None
    cell = outcome.results.cells[0]
    assert cell.unscored == {"said": {"unparsed": 12}}
    headline = cell.metrics[0]
    assert (headline.n, headline.unscored, headline.value) == (0, 12, None)
    assert headline.coverage == 0.0


async def test_an_error_of_the_task_is_named_and_harms_only_its_sample(tmp_path: Path) -> None:
    class Buggy(Spell):
        async def score(
            self, sample: suite.Sample[Word], output: suite.Output, models: suite.Models
        ) -> suite.Score:
            if sample.id == "w5":
                raise KeyError("missing")
            return suite.Score({"said": True, "length": 1.0})

    outcome = await run(plan_of({"candidate": "scripted/echo"}, cells(Buggy)), tmp_path / "run")
    assert outcome.pending == 1
    (found,) = [one for one in Run(tmp_path / "run").journal.attempts if one.event == "pending"]
    assert found.kind == "task-error"
    assert f"KeyError: 'missing' ({__name__}, line" in found.detail
    assert found.detail.endswith(", in score)")


async def test_a_text_is_one_message_and_what_is_no_message_is_named(tmp_path: Path) -> None:
    class Plain(Spell):
        async def solve(self, sample: suite.Sample[Word], models: suite.Models) -> suite.Output:
            text = f"say {sample.payload.word}"
            if sample.id == "w5":
                return suite.Output((await models.candidate.chat([{"role": "user", "content": text}])).text)  # type: ignore[list-item]
            return suite.Output((await models.candidate.chat(text)).text)

    outcome = await run(plan_of({"candidate": "scripted/echo"}, cells(Plain)), tmp_path / "run")
    assert outcome.pending == 1
    read = Run(tmp_path / "run")
    (found,) = [one for one in read.journal.attempts if one.event == "pending"]
    assert found.sample == "w5"
    assert 'a message is a dict, not a suite.Message; write suite.user("…")' in found.detail
    assert found.detail.endswith(", in solve)"), "the author's own line, not the suite's"


async def test_values_that_are_no_numbers_are_caught(tmp_path: Path) -> None:
    class Odd(Spell):
        async def score(
            self, sample: suite.Sample[Word], output: suite.Output, models: suite.Models
        ) -> suite.Score:
            if sample.id == "w1":
                return suite.Score({"said": True, "length": float("nan")})
            return suite.Score({"said": True, "length": [1] if sample.id == "w2" else 1.0})  # type: ignore[dict-item]

    outcome = await run(plan_of({"candidate": "scripted/echo"}, cells(Odd)), tmp_path / "run")
    assert outcome.pending == 1
    assert outcome.results is not None
    assert outcome.results.cells[0].unscored == {"length": {"not-finite": 1}}


async def test_an_edited_line_is_noticed_and_nothing_is_added(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    await run(plan_of({"candidate": "scripted/echo"}), folder)
    path = folder / "outputs.jsonl"
    text = path.read_bytes()
    path.write_bytes(text.replace(b'"half":"first"', b'"half":"fiRst"', 1))
    with pytest.raises(RunError, match=r"outputs.jsonl line \d+ was changed"):
        await run(plan_of({"candidate": "scripted/echo"}), folder)
    assert path.stat().st_size == len(text)


async def test_a_torn_last_line_is_cut_off_and_done_again(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    first = await run(plan_of({"candidate": "scripted/echo"}), folder)
    for name in ("outputs.jsonl", "calls.jsonl", f"scorings/{first.scoring}/scores.jsonl"):
        path = folder / name
        path.write_bytes(path.read_bytes()[:-10])
    second = await run(plan_of({"candidate": "scripted/echo"}), folder)
    assert without_times(second.results) == without_times(first.results)
    samples = [output.sample for output in Run(folder).journal.outputs]
    assert sorted(samples) == sorted(f"w{i}" for i in range(12))
    assert any(one.event == "resume" for one in Run(folder).journal.attempts)


async def test_a_doubled_record_is_an_error_that_names_it(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    await run(plan_of({"candidate": "scripted/echo"}), folder)
    path = folder / "outputs.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[0]]))
    outcome = await run(plan_of({"candidate": "scripted/echo"}), folder)
    assert outcome.exit_code == 2
    assert "'w0' of cell" in str(outcome.error)
    assert "stands 2 times" in str(outcome.error)
    assert "restore the file" in str(outcome.error)
    assert not outcome.continues


async def test_two_processes_do_not_share_a_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with folder_lock(folder), pytest.raises(RunError, match="another process"):
        await run(plan_of({"candidate": "scripted/echo"}), folder)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError, match="run folder"):
        await run(plan_of({"candidate": "scripted/echo"}), tmp_path / "file" / "run")


async def test_a_full_disk_stops_the_run_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    real = os.write
    left = 20_000

    def small_disk(fd: int, data: bytes) -> int:
        nonlocal left
        if len(data) > left:
            written = real(fd, data[:left]) if left else 0
            left = 0
            if not written:
                raise OSError(errno.ENOSPC, "No space left on device")
            return written
        left -= len(data)
        return real(fd, data)

    monkeypatch.setattr("suite.journal.journal_file.os.write", small_disk)
    outcome = await run(plan_of({"candidate": "scripted/echo"}, cells(Many)), folder)
    assert outcome.exit_code == 2
    assert "No space left" in str(outcome.error)
    monkeypatch.undo()
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    for path in folder.glob("*.jsonl"):
        assert path.read_bytes().endswith(b"\n") or path.stat().st_size == 0
    second = await run(plan_of({"candidate": "scripted/echo"}, cells(Many)), folder)
    whole = await run(plan_of({"candidate": "scripted/echo"}, cells(Many)), tmp_path / "whole")
    assert second.results is not None
    assert whole.results is not None
    assert second.results.cells == whole.results.cells


async def test_no_key_reaches_any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-very-secret-0123456789")
    async with OpenAIServer(api_key="sk-very-secret-0123456789", faults=["401", "ok", "500"]) as server:
        url = server.url.replace("http://", "http://")
        options = [("", "base_url", url), ("", "api_key_env", "MY_KEY")]
        outcome = await run(
            plan_of({"candidate": "openai/loopback"}, options=options), tmp_path / "run", cache=True
        )
        assert outcome.pending <= 1
    for path in [*(tmp_path / "run").rglob("*"), *(tmp_path / "cache").rglob("*")]:
        if path.is_file():
            content = path.read_bytes()
            assert b"very-secret" not in content, path
            assert str(tmp_path).encode() not in content, path


def test_a_journal_file_takes_back_half_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from suite.journal.records import AttemptRecord

    file = JournalFile(tmp_path / "a.jsonl")
    file.append(AttemptRecord(1.0, "start"))
    real = os.write
    monkeypatch.setattr("suite.journal.journal_file.os.write", lambda fd, data: real(fd, data[:5]))
    with pytest.raises(RunError):
        file.append(AttemptRecord(2.0, "finish"))
    monkeypatch.undo()
    file.append(AttemptRecord(3.0, "finish"))
    file.close()
    events = [json.loads(line)["at"] for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert events == [1.0, 3.0]


async def test_interrupting_before_anything_is_scored_is_no_error(tmp_path: Path) -> None:
    from suite.run.outcome import RunSettings
    from suite.run.session import Session

    plan = plan_of({"candidate": "scripted/echo?delay_s=0.05"}, cells(Many), concurrency=4)
    settings = RunSettings(quiet=True, signals=False, cache=False, one_engine=True)
    session = Session(plan, tmp_path / "run", ("solve", "score"), settings)
    asyncio.get_running_loop().call_later(0.3, session.interrupt)
    outcome = await session.run()
    assert (outcome.exit_code, outcome.results) == (130, None)
    assert outcome.pending > 0
    again = await Session(plan, tmp_path / "run", ("solve", "score"), settings).run()
    assert (again.exit_code, again.pending) == (0, 0)


async def test_interrupting_drains_what_is_in_flight(tmp_path: Path) -> None:
    from suite.run.outcome import RunSettings
    from suite.run.session import Session

    plan = plan_of({"candidate": "scripted/echo?delay_s=0.05"}, cells(Many), concurrency=4)
    settings = RunSettings(quiet=True, signals=False, cache=False)
    session = Session(plan, tmp_path / "run", ("solve", "score"), settings)
    asyncio.get_running_loop().call_later(0.3, session.interrupt)
    outcome = await session.run()
    assert outcome.exit_code == 130
    reader = Run(tmp_path / "run")
    solved = len(list(reader.journal.outputs))
    assert 4 <= solved < 60
    assert len(list(reader.journal.calls)) == solved  # whatever was asked was kept
    rest = plan_of({"candidate": "scripted/echo"}, cells(Many))
    assert rest.sha256 != plan.sha256  # another spec: its own folder
