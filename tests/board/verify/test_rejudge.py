"""The judge alone is asked again: an honest record is reproduced, made-up verdicts are not."""

import asyncio
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import good_bundles
import pytest
from click.testing import CliRunner
from openai_server import OpenAIServer
from openai_shapes import Body, last_text

from suite.board.define.board import find_board
from suite.board.verify import Rerun, VerifiedBundle, verify
from suite.board.verify.verification import as_text
from suite.cli.submit import submit
from suite.errors import ConfigError
from suite.run.outcome import RunSettings
from suite.run.plan import make_plan
from suite.run.request import EvalRequest
from suite.run.session import run_plan
from tests.board.making import as_values

FIXTURE = Path(__file__).parents[1] / "fixtures" / "mini.suite.zip"
SMALL = "embedded/smollm2-135m"
CACHE = os.environ.get("SUITE_CACHE")  # as it is for tests of the embedded model, whose weights are there
Judge = Callable[[Body], str]


def said(body: Body, yes: bool) -> str:
    """A verdict in the form that the checks ask for."""
    return f"<preference></preference>\n<answer>{'Yes' if yes else 'No'}</answer>"


def number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def strict(body: Body) -> str:
    """The board's judge: the same request, the same verdict."""
    return said(body, number(last_text(body)) % 2 == 0)


def lying(share: int) -> Judge:
    """What a forger writes down instead: the opposite, for one request in `share`."""

    def answer(body: Body) -> str:
        text = last_text(body)
        turned = number(f"lie {text}") % share == 0
        return said(body, (number(text) % 2 == 0) is not turned)

    return answer


def moody() -> Judge:
    """A judge that says otherwise in one case of five, each time it is asked, whatever the order."""
    asked: Counter[str] = Counter()

    def answer(body: Body) -> str:
        text = last_text(body)
        asked[text] += 1
        turned = number(f"{asked[text]} {text}") % 5 == 0
        return said(body, (number(text) % 2 == 0) is not turned)

    return answer


async def recorded(judge: Judge, folder: Path) -> Path:
    """A bundle whose judge was a real server that answers so."""
    async with OpenAIServer(judge, models=["the-judge"], latency_s=0.003) as server:  # no model takes less
        request = EvalRequest(
            ("prefeval/generation",),
            parameters=[("", "inter_turns", "0")],
            mini=True,
            models={"candidate": ["scripted/words"], "judge": ["openai/the-judge"]},
            options=[("judge", "base_url", server.url)],
        )
        settings = RunSettings(cache=False, quiet=True, signals=False)
        outcome = await run_plan(make_plan(request), folder / "run", settings=settings)
    assert outcome.exit_code == 0, (outcome.error, outcome.reasons)
    return good_bundles.bundle([folder / "run"], None, folder / "bundle")


async def judged_again(bundle: Path, judge: Judge, count: int = 30, **more: Any) -> VerifiedBundle:
    async with OpenAIServer(judge, models=["the-judge"]) as server:
        options = (("judge", "base_url", server.url),)
        again = Rerun(0, {"judge": ["openai/the-judge"], **more}, options, "a", judged=count)
        return await asyncio.to_thread(verify, bundle, again=again)


def errors(found: VerifiedBundle) -> set[str]:
    return {one.code for one in found.findings if one.severity == "error"}


async def test_an_honest_record_is_reproduced(tmp_path: Path) -> None:
    found = await judged_again(await recorded(strict, tmp_path), strict)
    assert as_values(found)["rejudge"]["label"] == "reproduced"
    assert as_values(found)["rejudge"]["same_as_recorded"] == as_values(found)["rejudge"]["samples"] == 30
    assert as_values(found)["rerun"] is None
    assert found.trust == "L1"  # nobody asked the candidate
    assert errors(found) == set()
    assert any(line.startswith("judged again: reproduced (30 of 30 verdicts") for line in as_text(found))


@pytest.mark.parametrize("share", [1, 8], ids=["all", "one-in-eight"])
async def test_made_up_verdicts_are_caught(share: int, tmp_path: Path) -> None:
    """Consistent in every way, so that only the judge itself can tell."""
    bundle = await recorded(lying(share), tmp_path)
    assert errors(await asyncio.to_thread(verify, bundle)) == set()
    found = await judged_again(bundle, strict)
    assert errors(found) == {"R11.judge-not-reproduced"}
    assert found.verdict == "rejected"
    assert "the judge agrees with itself on 30 of 30" in as_values(found)["rejudge"]["why"]


async def test_a_judge_that_differs_from_itself_is_the_yardstick(tmp_path: Path) -> None:
    """Honest, though it agrees with its record in half of the cases only."""
    judge = moody()
    found = await judged_again(await recorded(judge, tmp_path), judge)
    told = as_values(found)["rejudge"]
    assert told["label"] == "reproduced"
    assert told["same_as_recorded"] < 25
    assert told["same_as_itself"] < 25


async def test_few_records_settle_nothing(tmp_path: Path) -> None:
    found = await judged_again(await recorded(strict, tmp_path), strict, 3)
    assert as_values(found)["rejudge"]["label"] == "inconclusive"
    assert [one.severity for one in found.findings if one.rung == "R11"] == ["warning"]


def test_what_nobody_judged_is_said(good: Callable[..., Any]) -> None:
    found = verify(good("choice")[0], again=Rerun(0, {"judge": ["scripted/words"]}, judged=30))
    assert as_values(found)["rejudge"]["why"] == "no record was judged by a model"


def test_a_panel_is_asked_as_a_whole(good: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match="was judged by 2 in the role judge, 1 were given"):
        verify(good("pairs")[0], again=Rerun(0, {"judge": ["scripted/words"]}, judged=30))
    with pytest.raises(ConfigError, match="nobody fills the role 'judge'"):
        verify(good("pairs")[0], again=Rerun(0, {"baseline": ["scripted/words"]}, judged=30))


def test_flags_that_belong_together(good: Callable[..., Any]) -> None:
    folder = str(good("judged")[0])
    model = ["--model", "scripted/words"]
    for words in ([], model, [*model, "--rerun", "5"]):
        ran = CliRunner().invoke(submit, ["verify", folder, "--rejudge", "5", *words])
        assert isinstance(ran.exception, ConfigError)
        assert "tasks and data" not in ran.output  # said before the work


async def test_the_command_asks_the_judge_alone(tmp_path: Path) -> None:
    bundle = await recorded(lying(1), tmp_path)
    async with OpenAIServer(strict, models=["the-judge"]) as server:
        judge = ["--judge", "openai/the-judge", "-o", f"judge.base_url={server.url}"]
        words = ["verify", str(bundle), "--rejudge", "20", *judge, "--rerun-seed", "x"]
        report = tmp_path / "report.json"
        ran = await asyncio.to_thread(CliRunner().invoke, submit, [*words, "--output", str(report)])
    assert ran.exit_code == 1, ran.output
    assert "R11.judge-not-reproduced" in ran.output
    assert json.loads(report.read_text())["rejudge"]["label"] == "not_reproduced"


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that has the weights of the embedded model, so that they are not fetched for each test."""
    if CACHE is None:
        monkeypatch.delenv("SUITE_CACHE")
    else:
        monkeypatch.setenv("SUITE_CACHE", CACHE)


@pytest.mark.embedded
@pytest.mark.usefixtures("weights")
async def test_a_real_judge_says_what_it_said(tmp_path: Path) -> None:
    """Two samples in two orders: too few to conclude from, enough to see every verdict again."""
    request = EvalRequest(
        ("contexteval/pairwise",),
        parameters=[
            ("", "setting", "none"),
            ("", "sources", '["own/kitchen"]'),
            ("", "justify", "false"),
            ("", "may_tie", "false"),
            ("", "judge_tokens", "16"),
        ],
        mini=True,
        models={"candidate": ["scripted/words"], "baseline": ["scripted/echo"], "judge": [SMALL]},
        limit=2,
    )
    settings = RunSettings(cache=False, quiet=True, signals=False)
    outcome = await run_plan(make_plan(request), tmp_path / "run", settings=settings)
    assert outcome.exit_code == 0
    bundle = good_bundles.bundle([tmp_path / "run"], None, tmp_path / "bundle")
    again = Rerun(0, {"judge": [SMALL]}, seed="a", judged=5)
    told = as_values(await asyncio.to_thread(verify, bundle, again=again))["rejudge"]
    assert told["samples"] == told["same_as_recorded"] == told["same_as_itself"] == 2
    assert told["headline_difference"] == 0


@pytest.mark.slow
@pytest.mark.embedded
@pytest.mark.usefixtures("weights")
def test_the_small_model_still_says_what_it_said_on_another_machine() -> None:
    """The fixture was judged by the embedded model elsewhere; asked here it gives the same verdicts."""
    again = Rerun(0, {"judge": [SMALL]}, seed="a", judged=12)
    found = verify(FIXTURE, board=find_board("mini"), again=again)
    told = as_values(found)["rejudge"]
    assert told["samples"] == 12
    assert told["label"] == "reproduced", told
