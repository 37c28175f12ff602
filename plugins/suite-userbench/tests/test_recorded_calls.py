"""Tool calls as servers write them: the shapes of many parsers over the wire, and vLLM's own engine."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer
from suite_userbench.events import Event
from suite_userbench.parameters import TravelParameters
from suite_userbench.scenario import Scenario
from suite_userbench.task import Travel, events_of

import suite
from suite.testing import open_model

ASK = {"thought": "t", "choice": "action", "content": "Hello."}
NAME = "interact_with_env"
CUT = '{"thought": "t", "choice": "act'


def call(
    arguments: dict[str, str] | list[dict[str, str]] | str | None,
    identity: str = "c1",
    name: str | None = NAME,
) -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def message(*calls: dict[str, Any], content: str | None = None, **more: Any) -> dict[str, Any]:
    return {"content": content, "tool_calls": list(calls), **more}


# (the message of a reply, what the first turn's event says went wrong, how many calls were dropped)
SHAPES = {
    "text, as OpenAI's": (message(call(json.dumps(ASK))), "", 0),
    "an object, as Ollama's": (message(call(ASK)), "", 0),
    "no id": (message({"type": "function", "function": {"name": NAME, "arguments": ASK}}), "", 0),
    "an empty id, as some proxies': ": (message(call(json.dumps(ASK), "")), "", 0),
    "several at once": (message(call(json.dumps(ASK)), call(json.dumps(ASK), "c2")), "", 1),
    "words beside it": (message(call(json.dumps(ASK)), content="I ask first."), "", 0),
    "the function_call of before": (
        {"content": None, "function_call": {"name": NAME, "arguments": json.dumps(ASK)}},
        "",
        0,
    ),
    "content that is no text": (message(call(json.dumps({**ASK, "content": ["Hi."]}))), "", 0),
    "a text for an object, as vLLM's under required": (message(call('"Paris"')), "bad-arguments", 0),
    "a bare word": (message(call("Paris")), "bad-arguments", 0),
    "a list": (message(call([ASK])), "bad-arguments", 0),
    "an object written twice": (message(call(json.dumps(json.dumps(ASK)))), "bad-arguments", 0),
    "null": (message(call(None)), "bad-arguments", 0),
    "nothing": (message(call("")), "bad-arguments", 0),
    "cut off": (message(call(CUT)), "bad-arguments", 0),
    "another choice": (message(call({**ASK, "choice": "fly"})), "bad-arguments", 0),
    "another name": (message(call(ASK, name="fly")), "unknown-tool", 0),
    "no name": (message(call(ASK, name=None)), "unknown-tool", 0),
    "an empty list": ({"content": "Hello.", "tool_calls": []}, "no-tool-call", 0),
    "null for the list": ({"content": "Hello.", "tool_calls": None}, "no-tool-call", 0),
    "left in the text, as without a parser": (
        {"content": f"<tool_call>{json.dumps({'name': NAME, 'arguments': ASK})}</tool_call>"},
        "no-tool-call",
        0,
    ),
}


async def played(
    trip: Scenario, first: dict[str, list[dict[str, Any]] | None], **parameters: Any
) -> tuple[list[Event], list[dict[str, Any]]]:
    """(the events, the bodies that the server got) of an episode whose first reply is given."""
    answers = [first]
    later = message(call(json.dumps({**ASK, "choice": "answer", "content": trip.aspects[0].best}), "c9"))
    async with OpenAIServer(lambda body: answers.pop(0) if answers else later, keep_bodies=True) as server:
        task = Travel(TravelParameters.model_validate({"user": "rules-v1", "max_steps": 2, **parameters}))
        async with open_model("openai/loopback", base_url=server.url) as model:
            output = await task.solve(suite.Sample(trip.id, trip), suite.Models({"candidate": [model]}))
        return events_of(output), server.bodies


@pytest.mark.parametrize("shape", SHAPES)
async def test_each_shape_of_a_call_is_a_move_or_a_named_mistake(trip: Scenario, shape: str) -> None:
    first, problem, dropped = SHAPES[shape]
    events, bodies = await played(trip, first)
    assert bodies[0]["tool_choice"] == "required"
    assert bodies[0]["tools"][0]["function"]["name"] == NAME
    turn = events[0]
    assert (turn.cause if problem else "", turn.dropped) == (problem, dropped)
    assert (turn.kind == "format_error") is bool(problem)


@pytest.mark.parametrize("shape", SHAPES)
async def test_what_follows_is_a_conversation_that_servers_take(trip: Scenario, shape: str) -> None:
    _, bodies = await played(trip, SHAPES[shape][0])
    spoken = bodies[1]["messages"][2:]
    assert [one["role"] for one in spoken] in (["assistant", "tool"], ["assistant", "user"])
    for one in spoken[0].get("tool_calls", ()):
        assert isinstance(json.loads(one["function"]["arguments"]), dict)
        assert one["id"] == spoken[1]["tool_call_id"] != ""
    if "tool_calls" not in spoken[0]:
        assert spoken[0]["content"].strip()


PYTHON, MODELS = (
    os.environ.get("SUITE_VLLM_PYTHON", ""),
    Path(os.environ.get("SUITE_VLLM_MODELS", "/nowhere")),
)


@pytest.mark.slow
@pytest.mark.vllm
@pytest.mark.skipif(not PYTHON or not MODELS.is_dir(), reason="SUITE_VLLM_PYTHON, SUITE_VLLM_MODELS not set")
def test_dialogues_are_played_by_tool_calls_of_the_real_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = MODELS / "smollm2-135m"
    given = {
        "tool_call_parser": "hermes",
        "dtype": "float32",
        "enforce_eager": "true",
        "max_model_len": "8192",
        "env": '{"VLLM_CPU_KVCACHE_SPACE": "1"}',
    }
    options = [flag for key, value in given.items() for flag in ("-o", f"{key}={value}")]
    task = ["--task", "userbench/travel", "--mini", "--preset", "mini", "-P", "calling=tools", "--limit", "2"]
    task += ["-P", "max_tokens=400", "-P", "temperature=1.0"]  # at 0 so small a model only repeats itself
    code = suite.run_command(
        "eval", *task, "--model", f"vllm/{model}", "--output", "run", "--quiet", *options
    )
    assert code == 0
    reader = suite.Run(tmp_path / "run")
    calls = [one for one in reader.journal.calls if one.role == "candidate"]
    assert calls
    assert all(one.reply.tool_calls or one.reply.finish == "length" for one in calls)
    assert {call.name for one in calls for call in one.reply.tool_calls} <= {NAME}
    causes = {event.get("cause", "") for one in reader.journal.outputs for event in one.output.data["events"]}
    assert "no-tool-call" not in causes  # what is no call was cut
    assert any(one.reply.tool_calls for one in calls)
    assert "bad-arguments" not in causes  # the schema is kept
    settings = reader.manifest.roles["candidate"][0].settings
    assert settings["tool_parser"] == "hermes"
