"""Thinking as an option of a role: part of the plan and of what is recorded, refused where it cannot be."""

from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer
from small_tasks import cells, plan_of, run

from suite.cli.steps import parse_options
from suite.errors import CapabilityError, ConfigError
from suite.journal.run import Run

ENDPOINT = "openai/loopback"


def options(server: OpenAIServer, *more: tuple[str, str, str]) -> list[tuple[str, str, str]]:
    return [("", "base_url", server.url), ("judge", "base_url", server.url), *more]


async def test_each_role_is_told_its_own_and_the_record_says_so(tmp_path: Path) -> None:
    async with OpenAIServer(keep_bodies=True) as server:
        told = options(server, ("", "thinking", "high"), ("judge", "thinking", "off"))
        plan = plan_of({"candidate": ENDPOINT, "judge": ENDPOINT}, options=told, limit=2)
        await run(plan, tmp_path / "run")
        assert {one.get("reasoning_effort") for one in server.bodies} == {"high", "none"}
    reader = Run(tmp_path / "run")
    roles: Any = reader.manifest.plan["roles"]
    assert roles["candidate"]["sampling"] == {"thinking": "high"}
    assert {call.options.thinking for call in reader.journal.calls} == {"high"}


async def test_it_is_part_of_the_plan() -> None:
    async with OpenAIServer() as server:
        plans = [
            plan_of({"candidate": ENDPOINT, "judge": ENDPOINT}, options=options(server, *more))
            for more in ([], [("", "thinking", "on")], [("", "thinking", "off")])
        ]
    assert len({plan.sha256 for plan in plans}) == 3


@pytest.mark.parametrize(
    ("model", "thinking", "why"),
    [
        ("embedded/smollm2-135m", "on", "does not think"),
        ("openai/x", "4096", "no field for thinking=4096"),
    ],
)
def test_who_cannot_is_refused_when_planning(model: str, thinking: str, why: str) -> None:
    told = [("", "base_url", "http://127.0.0.1:9/v1")] if model.startswith("openai") else []
    with pytest.raises(CapabilityError, match=why):
        plan_of(
            {"candidate": model, "judge": "scripted/echo"},
            cells(),
            options=[*told, ("", "thinking", thinking)],
        )


def test_an_embedded_model_can_be_told_not_to() -> None:
    models = {"candidate": "embedded/smollm2-135m", "judge": "scripted/echo"}
    assert plan_of(models, cells(), options=[("", "thinking", "off")]).filled.of("candidate")


def test_the_flag_is_an_option_of_the_candidate() -> None:
    assert parse_options(["judge.thinking=low"], ["candidate", "judge"], "off") == [
        ("judge", "thinking", "low"),
        ("", "thinking", "off"),
    ]
    with pytest.raises(ConfigError, match="differ"):
        parse_options(["thinking=on"], ["candidate"], "off")
    with pytest.raises(ConfigError, match="not asked here"):
        parse_options([], ["judge"], "off")
