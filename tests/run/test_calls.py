"""A call is a function of its request: paid once, recorded once, found again by resume, re-score, replay."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from small_tasks import Many, Spell, cells, plan_of, run, scripted, without_times

import suite
from suite.chat import Reply, Request
from suite.journal.run import Run
from suite.models.engine import Asking
from suite.run.reopen import plan_again

SWEEP = [{"turns": turns, "style": style} for turns in (0, 2) for style in ("plain", "polite")]


def echo(request: Request, asking: Any) -> str:
    return f"echo of {request.messages[-1].content}"


async def test_cells_of_a_sweep_share_the_call_that_is_the_same(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo"}, cells(Spell, *SWEEP))
    engine = scripted(echo, plan)
    outcome = await run(plan, tmp_path / "run")
    assert outcome.exit_code == 0
    assert engine.calls == 12 * (1 + 4)
    reader = Run(tmp_path / "run")
    calls = list(reader.journal.calls)
    assert len({call.id for call in calls}) == len(calls) == 60
    outputs = list(reader.journal.outputs)
    assert len(outputs) == 48
    used = Counter(identity for output in outputs for identity in output.calls)
    assert sorted(used.values()) == [1] * 48 + [4] * 12


async def test_requests_are_rebuilt_from_blocks_with_the_same_hash(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo"}, cells(Spell, {"turns": 40}))
    await run(plan, tmp_path / "run")
    reader = Run(tmp_path / "run")
    family = reader.manifest.cells[0].task.partition("/")[0]
    for call in reader.journal.calls:
        asked = suite.chat.request_sha256(reader.journal.blocks.request(call))
        assert suite.chat.call_id(family, call.group, call.trial, call.role, call.key, asked) == call.id
    longest = max(len(call.request) for call in reader.journal.calls)
    assert longest < 83 // 32 + 32 + 1


async def test_an_output_that_is_its_last_reply_is_not_stored_twice(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo"})
    await run(plan, tmp_path / "run")
    reader = Run(tmp_path / "run")
    for output in reader.journal.outputs:
        assert output.output.text == ""
        assert reader.text(output) == "Say it."


async def test_trials_are_asked_separately_and_a_key_gives_a_second_reply(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo"}, cells(Many), trials=3)
    engine = scripted(echo, plan)
    outcome = await run(plan, tmp_path / "run")
    assert engine.calls == 3 * 400
    assert outcome.results is not None
    assert outcome.results.cells[0].samples == 1200


async def test_what_a_seeded_engine_gets_does_not_depend_on_order_or_concurrency(tmp_path: Path) -> None:
    seeds: list[dict[str, int]] = []
    for concurrency in (1, 16):
        got: dict[str, int] = {}

        def remember(request: Request, asking: Any, got: dict[str, int] = got) -> str:
            got[asking.call] = asking.seed
            return "same"

        plan = plan_of({"candidate": "scripted/echo"}, cells(Spell, *SWEEP), concurrency=concurrency, seed=7)
        scripted(remember, plan)
        await run(plan, tmp_path / f"run{concurrency}")
        seeds.append(got)
    assert seeds[0] == seeds[1]
    assert len(set(seeds[0].values())) == len(seeds[0])


async def test_the_cache_serves_another_run_and_never_fakes_repeats(tmp_path: Path) -> None:
    from openai_server import OpenAIServer

    async with OpenAIServer() as server:
        options = [("", "base_url", server.url), ("", "identity", "loopback-1")]
        for name, trials in (("one", 1), ("two", 1), ("three", 2)):
            plan = plan_of(
                {"candidate": "openai/loopback"}, cells(Many), options=options, trials=trials, limit=30
            )
            outcome = await run(plan, tmp_path / name, cache=True)
            assert outcome.exit_code == 0
            if name == "one":
                assert server.requests == 30
            if name == "two":
                assert server.requests == 31  # one, to hear who answers now
                assert outcome.results is not None
                assert outcome.results.calls["candidate"].cached == 29
        assert server.requests == 62  # the second trial of the third run was asked, and who answers


async def test_sampling_options_of_a_member_change_its_requests(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo"}, options=[("", "temperature", "1"), ("", "stop", "x")])
    asked: list[Request] = []

    def answer(request: Request, asking: Asking) -> str:
        asked.append(request)
        return "fine"

    scripted(answer, plan)
    await run(plan, tmp_path / "run")
    assert {request.options.temperature for request in asked} == {1.0}
    assert {request.options.stop for request in asked} == {("x",)}


async def test_replay_answers_what_was_recorded_and_nothing_else(tmp_path: Path) -> None:
    first = await run(plan_of({"candidate": "scripted/echo"}), tmp_path / "first")
    again = await run(plan_of({"candidate": f"replay/{tmp_path / 'first'}"}), tmp_path / "again")
    assert again.exit_code == 0
    assert first.results is not None
    assert again.results is not None
    assert again.results.cells == first.results.cells
    other = plan_of({"candidate": f"replay/{tmp_path / 'first'}"}, cells(Spell, {"turns": 1}))
    partial = await run(other, tmp_path / "other")
    assert partial.exit_code == 1
    assert partial.pending == 12
    assert partial.reasons == {"not-recorded": 12}


async def test_scoring_again_asks_the_judge_and_not_the_candidate(tmp_path: Path) -> None:
    models = {"candidate": "scripted/echo", "judge": "scripted/constant?text=yay"}
    plan = plan_of(models)
    first = await run(plan, tmp_path / "run")
    assert first.results is not None
    other = plan_of({"candidate": "scripted/echo", "judge": "scripted/constant?text=no"})
    candidate = scripted(echo, other)
    judge = scripted(lambda request, asking: "no", other, "judge")
    second = await run(other, tmp_path / "run", stages=("score",))
    assert candidate.calls == 0
    assert judge.calls == 1 * 12
    assert second.scoring != first.scoring
    rates = [one.results.cells[0].metrics[0].value for one in (first, second) if one.results is not None]
    assert rates == [1.0, 0.0]
    assert len(Run(tmp_path / "run").scorings()) == 2


async def test_one_engine_at_a_time_gives_the_same_results(tmp_path: Path) -> None:
    models = {"candidate": "scripted/echo", "judge": "scripted/constant?text=yay"}
    together = await run(plan_of(models), tmp_path / "a")
    apart = await run(plan_of(models), tmp_path / "b", one_engine=True)
    assert together.results is not None
    assert apart.results is not None
    assert together.results.cells == apart.results.cells


async def test_solving_only_then_scoring_equals_both_at_once(tmp_path: Path) -> None:
    models = {"candidate": "scripted/echo", "judge": "scripted/constant?text=yay"}
    together = await run(plan_of(models), tmp_path / "a")
    solved = await run(plan_of(models), tmp_path / "b", stages=("solve",))
    assert solved.results is None
    assert solved.exit_code == 0
    scored = await run(plan_of(models), tmp_path / "b", stages=("score",))
    assert together.results is not None
    assert scored.results is not None
    assert scored.results.cells == together.results.cells


async def test_a_finished_run_is_not_repeated(tmp_path: Path) -> None:
    first = await run(plan_of({"candidate": "scripted/echo"}), tmp_path / "run")
    before = {
        p.name: p.read_bytes() for p in (tmp_path / "run").glob("*.jsonl") if p.name != "attempts.jsonl"
    }
    plan = plan_of({"candidate": "scripted/echo"})
    engine = scripted(echo, plan)
    second = await run(plan, tmp_path / "run")
    assert engine.calls == 0
    after = {p.name: p.read_bytes() for p in (tmp_path / "run").glob("*.jsonl") if p.name != "attempts.jsonl"}
    assert after == before
    assert without_times(first.results) == without_times(second.results)


async def test_shards_hold_the_records_of_the_whole(tmp_path: Path) -> None:
    from dataclasses import replace

    def records(*folders: Path) -> set[str]:
        found = set()
        for folder in folders:
            for output in Run(folder).journal.outputs:
                found.add(json.dumps([output.cell, output.sample, output.calls, output.payload_sha256]))
        return found

    await run(plan_of({"candidate": "scripted/echo"}, cells(Spell, *SWEEP)), tmp_path / "whole")
    parts = []
    for which in range(3):
        plan = replace(plan_of({"candidate": "scripted/echo"}, cells(Spell, *SWEEP)), shard=(which, 3))
        await run(plan, tmp_path / f"part{which}")
        parts.append(tmp_path / f"part{which}")
    counts = [len(list(Run(part).journal.outputs)) for part in parts]
    assert sum(counts) == 48
    assert max(counts) < 48
    assert records(*parts) == records(tmp_path / "whole")


async def test_the_order_of_records_has_no_meaning(tmp_path: Path) -> None:
    import random

    from suite.run.results import make_results

    plan = plan_of({"candidate": "scripted/echo"}, cells(Spell, *SWEEP))
    outcome = await run(plan, tmp_path / "run")
    for path in (*(tmp_path / "run").glob("*.jsonl"), *(tmp_path / "run/scorings").rglob("*.jsonl")):
        lines = path.read_bytes().splitlines(keepends=True)
        random.Random(3).shuffle(lines)
        path.write_bytes(b"".join(lines))
    again = make_results(Run(tmp_path / "run"), {"words/spell": Spell.metrics})
    assert outcome.results is not None
    assert again.cells == outcome.results.cells


async def test_a_run_can_be_the_data_of_another_task(tmp_path: Path) -> None:
    from suite.run.sources import RunSource

    await run(plan_of({"candidate": "scripted/echo"}), tmp_path / "run")
    rows = [row for _, row in RunSource("contexts", Run(tmp_path / "run")).rows()]
    assert {row["text"] for row in rows} == {"Say it."}
    assert sorted(str(row["sample_id"]) for row in rows) == sorted(f"w{i}" for i in range(12))
    assert {row["model"] for row in rows} == {"scripted/echo"}
    assert rows[0]["parameters"] == {"turns": 0, "style": "plain"}


async def test_a_reward_of_the_wrong_shape_is_the_models_failure_not_ours(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo"})
    scripted(lambda request, asking: Reply("", finish="refused"), plan)
    outcome = await run(plan, tmp_path / "run")
    assert outcome.exit_code == 0
    assert outcome.results is not None
    assert outcome.results.cells[0].finishes == {"refused": 12}


def test_reopening_needs_the_tasks_plugin(tmp_path: Path) -> None:
    import asyncio

    asyncio.run(run(plan_of({"candidate": "scripted/echo"}), tmp_path / "run"))
    with pytest.raises(suite.NotFound, match="words/spell"):
        plan_again(Run(tmp_path / "run"))
