"""What a model thinks is no answer in a run: whoever answers, however often, and whoever asks."""

import json
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer
from small_tasks import Spell, cells, plan_of, run, scripted

import suite
from suite.chat import Reply, Request, Usage, raw_text
from suite.errors import ConfigError
from suite.journal.run import Run

WRITTEN = "<think>\nIs it blue?\n</think>\n\nIt is red."
ANSWER = "It is red."


class Once(Spell):
    """One request a sample."""

    async def solve(self, sample: Any, models: suite.Models) -> suite.Output:
        reply = await models.candidate.chat(f"Say {sample.payload.word}.", max_tokens=50)
        return suite.Output(reply.text, finish=reply.finish)


def thinks(request: Request, asking: Any) -> Reply:
    return Reply(WRITTEN, usage=Usage(10, 12))


def plain(request: Request, asking: Any) -> Reply:
    return Reply("fair")


async def texts(folder: Path, plan: Any, **settings: Any) -> tuple[set[str], list[Reply]]:
    """(texts that the judge was shown or the task gave, replies of the candidate)."""
    outcome = await run(plan, folder, **settings)
    assert outcome.exit_code == 0, outcome.reasons
    found = Run(folder)
    replies = [call.reply for call in found.journal.calls if call.role == "candidate"]
    return {reply.text for reply in replies}, replies


async def test_the_journal_holds_answer_and_reasoning_apart(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo", "judge": "scripted/echo"})
    scripted(thinks, plan)
    judge = scripted(plain, plan, "judge")
    said, replies = await texts(tmp_path / "run", plan)
    assert said == {ANSWER}
    assert {(one.reasoning, raw_text(one)) for one in replies} == {("Is it blue?", WRITTEN)}
    assert judge.calls
    assert all("blue" not in str(call.request) for call in Run(tmp_path / "run").journal.calls)
    results = json.loads(next(tmp_path.glob("run/scorings/*/results.json")).read_text())
    assert results["calls"]["candidate"]["reasoning_characters"] == len(replies) * len("Is it blue?")


async def test_an_option_of_the_role_leaves_texts_alone(tmp_path: Path) -> None:
    plan = plan_of(
        {"candidate": "scripted/echo", "judge": "scripted/echo"}, options=[("", "reasoning_tags", "none")]
    )
    scripted(thinks, plan)
    scripted(plain, plan, "judge")
    said, _ = await texts(tmp_path / "run", plan)
    assert said == {WRITTEN}
    manifest = Run(tmp_path / "run").manifest
    assert manifest.roles["candidate"][0].sampling == {"reasoning_tags": "none"}


def test_a_bad_option_is_an_error_of_the_plan() -> None:
    with pytest.raises(ConfigError, match="reasoning_tags"):
        plan_of(
            {"candidate": "scripted/echo", "judge": "scripted/echo"}, options=[("", "reasoning_tags", "7")]
        )


async def test_a_replay_of_an_old_run_is_read_anew_and_one_of_a_new_run_as_it_was(tmp_path: Path) -> None:
    def made(spec: str, *options: tuple[str, str, str]) -> Any:
        plan = plan_of({"candidate": spec, "judge": "scripted/echo"}, cells(Once), options=options)
        scripted(plain, plan, "judge")
        return plan

    old = made("scripted/echo", ("", "reasoning_tags", "none"))  # as records were before
    scripted(thinks, old)
    await run(old, tmp_path / "old")
    for before, after in (("old", "new"), ("new", "newer")):
        said, replies = await texts(tmp_path / after, made(f"replay/{tmp_path / before}"))
        assert said == {ANSWER}
        assert {one.reasoning for one in replies} == {"Is it blue?"}


async def test_the_cache_keeps_what_was_written(tmp_path: Path) -> None:
    async with OpenAIServer(lambda _: WRITTEN) as server:

        def made(tags: str) -> Any:
            options = [
                ("", "base_url", server.url),
                ("", "identity", "amber"),
                ("", "reasoning_tags", tags),
            ]
            roles = {"candidate": "openai/loopback", "judge": "scripted/echo"}
            plan = plan_of(roles, cells(Once), options=options)
            scripted(plain, plan, "judge")
            return plan

        said, _ = await texts(tmp_path / "one", made("auto"), cache=True)
        left, _ = await texts(tmp_path / "two", made("none"), cache=True)
        assert (said, left) == ({ANSWER}, {WRITTEN})
        calls = list(Run(tmp_path / "two").journal.calls)
        assert sum(call.cached for call in calls if call.role == "candidate") >= 11  # one is asked to know it


async def test_judges_that_were_cut_are_named_with_the_option_that_helps(tmp_path: Path) -> None:
    from suite.report.findings import sentences

    plan = plan_of({"candidate": "scripted/echo", "judge": "scripted/echo"})
    scripted(plain, plan)
    scripted(lambda *_: Reply("<think>Well", "length"), plan, "judge")
    await run(plan, tmp_path / "run")
    results = Run(tmp_path / "run").results
    said = [text for text, _ in sentences(results) if "were cut" in text]
    assert len(said) == 1
    assert said[0].startswith("12 of 12 judge replies were cut at 5 tokens")
    assert said[0].endswith("-o judge.max_tokens=…")
