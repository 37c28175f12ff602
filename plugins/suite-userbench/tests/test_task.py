"""The task: episodes through the contract, every kind of bad candidate, roles and facts."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from suite_userbench import baselines
from suite_userbench.parameters import TravelParameters
from suite_userbench.scenario import Scenario
from suite_userbench.task import Travel, events_of
from suite_userbench.travel import ASPECTS

import suite
from suite.testing import ScriptedModel, task_tools

ALL = frozenset({"chat", "tools", "json_schema"})


def task_of(**parameters: Any) -> Travel:
    return Travel(TravelParameters.model_validate({"user": "rules-v1", **parameters}))


def move(choice: str, content: str, name: str = "interact_with_env", identity: str = "c1") -> suite.ToolCall:
    body = json.dumps({"thought": "t", "choice": choice, "content": content})
    return suite.ToolCall(name, body, identity)


async def play(
    trip: Scenario,
    answer: Callable[..., Any],
    capabilities: frozenset[str] = ALL,
    user: suite.Model | None = None,
    **parameters: int | str,
) -> tuple[ScriptedModel, suite.Output, suite.Score]:
    task = task_of(**parameters)
    candidate = ScriptedModel(answer, capabilities=capabilities)
    members: dict[str, list[suite.Model]] = {"candidate": [candidate]}
    if user is not None:
        members["user"] = [user]
    models = suite.Models(members)
    sample = suite.Sample(trip.id, trip)
    output = await task.solve(sample, models)
    score = await task.score(sample, output, models)
    assert list(task.show(sample, output, score))
    return candidate, output, score


def script(*replies: suite.Reply) -> Callable[..., Any]:
    left = list(replies)

    def answer(_: suite.Request) -> suite.Reply:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


def calls(*moves: suite.ToolCall) -> Callable[..., Any]:
    return script(*(suite.Reply("", tool_calls=(one,)) for one in moves))


async def test_the_oracle_scores_one(trips: list[Scenario]) -> None:
    for trip in trips:
        moves = [move("answer", one.best) for one in trip.aspects]
        _, output, score = await play(trip, calls(*moves))
        assert score.values["score"] == 1.0 and score.values["solved"] and score.values["perfect"]
        assert output.finish == "stop"
        assert all(part.values["best"] for part in score.parts)


async def test_tools_are_called_and_answered(trip: Scenario) -> None:
    candidate, _, _ = await play(
        trip,
        calls(move("action", "Hello.", identity="a"), move("answer", trip.aspects[0].best)),
        max_steps=2,
    )
    first, second = candidate.requests
    assert first.tools[0].name == "interact_with_env" and first.options.tool_choice == "required"
    assert [one.role for one in second.messages] == ["system", "user", "assistant", "tool"]
    assert second.messages[3].tool_call_id == "a" == second.messages[2].tool_calls[0].id
    assert trip.request in first.messages[1].content
    told = "".join(one.content for request in candidate.requests for one in request.messages)
    assert not any(one.text in told or one.statement in told for one in trip.preferences)


@pytest.mark.parametrize(
    ("capabilities", "guided"), [(frozenset({"chat", "json_schema"}), True), (frozenset({"chat"}), False)]
)
async def test_models_without_tools_write_json(
    trip: Scenario, capabilities: frozenset[str], guided: bool
) -> None:
    text = json.dumps({"thought": "", "choice": "answer", "content": trip.aspects[0].best})
    candidate, output, _ = await play(trip, script(suite.Reply(text)), capabilities, max_steps=2)
    assert not candidate.requests[0].tools
    assert (candidate.requests[0].options.json_schema is not None) == guided
    assert [event.kind for event in events_of(output)] == ["answer_best", "answer_refused"]
    assert [one.role for one in candidate.requests[1].messages][2:] == ["assistant", "user"]


async def test_text_with_a_tag_is_read(trip: Scenario) -> None:
    answer = script(suite.Reply("I think so.\n[action] Do you like a gym?"))
    _, output, _ = await play(trip, answer, frozenset({"chat"}), max_steps=1)
    assert events_of(output)[0].content == "Do you like a gym?"


BAD = {
    "bad-arguments": suite.Reply("", tool_calls=(suite.ToolCall("interact_with_env", "{not json", "x"),)),
    "unknown-tool": suite.Reply("", tool_calls=(move("search", "x", name="fly"),)),
    "empty": suite.Reply("  ", finish="empty"),
    "refused": suite.Reply("", finish="refused"),
    "no-tool-call": suite.Reply("I would rather talk."),
}
WORSE = ['{"choice": "dance", "content": "x"}', '{"choice": "search"}', "[1, 2]", "3"]


@pytest.mark.parametrize("problem", BAD)
async def test_bad_turns_are_events_and_cost_a_turn(trip: Scenario, problem: str) -> None:
    candidate, output, score = await play(trip, script(BAD[problem]), max_steps=3)
    events = events_of(output)
    assert [(event.kind, event.cause, event.reward) for event in events] == [
        ("format_error", problem, 0.0)
    ] * 3
    assert output.finish == "limit" and score.values["score"] == 0.0 and score.values["failed"] is False
    assert all(one.tool_calls == () for request in candidate.requests for one in request.messages)


@pytest.mark.parametrize("arguments", WORSE)
async def test_wrong_arguments(trip: Scenario, arguments: str) -> None:
    reply = suite.Reply("", tool_calls=(suite.ToolCall("interact_with_env", arguments, "x"),))
    _, output, _ = await play(trip, script(reply), max_steps=1)
    assert events_of(output)[0].cause == "bad-arguments"


@pytest.mark.parametrize(
    ("arguments", "default", "released"),
    [
        ({"choice": "action", "content": "Hi."}, "action_chat", None),  # no thought
        ({"thought": "t", "choice": "dance", "content": "x"}, "bad-arguments", "format_error"),
        ({"thought": "t", "choice": "dance", "content": "[action] Hi."}, "bad-arguments", "action_chat"),
        ({"thought": "t", "choice": "action", "content": ["Hi."]}, "action_chat", None),
        ({"thought": "t", "choice": "dance", "content": ["Hi."]}, "bad-arguments", "format_error"),
        ({"thought": "", "choice": "action", "content": "[action]Hi."}, "action_chat", "action_chat"),
    ],
)
async def test_compat_reads_arguments_as_the_released_harness(
    trip: Scenario, arguments: dict[str, Any], default: str, released: str | None
) -> None:
    reply = suite.Reply("", tool_calls=(suite.ToolCall("interact_with_env", json.dumps(arguments), "x"),))
    _, output, _ = await play(trip, script(reply), max_steps=1)
    event = events_of(output)[0]
    assert (event.cause or event.kind) == default
    _, output, _ = await play(trip, script(reply), max_steps=1, compat="released-async")
    assert output.finish == ("invalid" if released is None else "limit")
    assert events_of(output)[0].kind == (released or "finish")


async def test_compat_does_not_look_at_the_name_of_the_tool(trip: Scenario) -> None:
    reply = suite.Reply("", tool_calls=(move("action", "Hi.", name="fly"),))
    _, output, _ = await play(trip, script(reply), max_steps=1, compat="released-async")
    assert events_of(output)[0].kind == "action_chat"


async def test_published_texts_stand_instead_of_ours(trip: Scenario) -> None:
    task = task_of(max_steps=1)
    task.prompts = task.prompts.replace("mixed", published_system="Plan {{a}} trip.", budget="Be cheap.")
    reply = suite.Reply("", tool_calls=(move("action", "Hi."),))
    candidate = ScriptedModel(script(reply), capabilities=ALL)
    await task.solve(suite.Sample(trip.id, trip), suite.Models({"candidate": [candidate]}))
    first = candidate.requests[0].messages
    assert [one.content for one in first] == ["Plan {a} trip.", f"{trip.request}\nBe cheap.\n"]


def test_rules_of_our_generator_are_told_of_our_scenarios_only() -> None:
    apartment, restaurant = ASPECTS["apartment"], ASPECTS["restaurant"]
    for one, ours in ((apartment, "always paid"), (restaurant, "avg_cost_per_person")):
        assert ours in one.legend_of("userbench-synth/2")
        assert ours not in one.legend_of("userbench")


async def test_a_cut_off_answer_is_told_from_a_wordy_one(trip: Scenario) -> None:
    finishes: dict[suite.Finish, str] = {"length": "cut-off", "stop": "no-json"}
    for finish, cause in finishes.items():
        reply = suite.Reply('{"thought": "and so', finish=finish)
        _, output, _ = await play(trip, script(reply), frozenset({"chat"}), max_steps=1)
        assert events_of(output)[0].cause == cause


async def test_several_calls_at_once_use_the_first(trip: Scenario) -> None:
    reply = suite.Reply("", tool_calls=(move("action", "Hi."), move("answer", "H1"), move("answer", "H2")))
    candidate, output, _ = await play(trip, script(reply), max_steps=2)
    assert (events_of(output)[0].kind, events_of(output)[0].dropped) == ("action_chat", 2)
    assert len(candidate.requests[1].messages[2].tool_calls) == 1


async def test_an_overflow_ends_the_episode_with_what_it_had(trip: Scenario) -> None:
    answer = script(
        suite.Reply("", tool_calls=(move("answer", trip.aspects[0].best),)), suite.Reply(finish="overflow")
    )
    _, output, score = await play(trip, answer)
    assert output.finish == "overflow"
    assert score.values["score"] == 0.5 and score.values["failed"] is True and score.values["turns"] == 1


async def test_a_tool_loop_ends_at_the_limit(trip: Scenario) -> None:
    one = trip.aspects[0]
    values = ", ".join(one.arguments.values())
    text = f"{one.name.replace('_', ' ')} {values}"
    if one.name == "flight":
        origin, destination, date = one.arguments.values()
        text = f"flight from {origin} to {destination} on {date}"
    _, output, score = await play(trip, calls(move("search", text)))
    kinds = [event.kind for event in events_of(output)]
    assert len(kinds) == 20 and kinds[0] == "search_valid"
    assert kinds[1:].count("search_repeat") == 15 and kinds.count("search_outage") == 4
    assert (score.values["searches_valid"], score.values["searches"], score.values["searches_served"]) == (
        1,
        20,
        16,
    )


async def test_content_that_is_json_is_passed_on(trip: Scenario) -> None:
    body = json.dumps({"thought": "", "choice": "search", "content": {"aspect": "hotel"}})
    reply = suite.Reply("", tool_calls=(suite.ToolCall("interact_with_env", body, "x"),))
    _, output, _ = await play(trip, script(reply), max_steps=1)
    assert events_of(output)[0].content == '{"aspect": "hotel"}'


async def test_the_released_harness_gives_up_without_a_tool_call(trip: Scenario) -> None:
    _, output, score = await play(trip, script(suite.Reply("talk")), compat="released-async")
    assert output.finish == "invalid" and score.values["failed"] is True and score.values["turns"] == 0


async def test_a_model_as_user_and_one_that_breaks_its_schema(trip: Scenario) -> None:
    def user(request: suite.Request) -> suite.Reply:
        return suite.Reply("I am not JSON")

    member = ScriptedModel(user, "user", capabilities=["chat"])
    _, output, score = await _with_model(trip, member)
    kinds = [(event.kind, event.cause) for event in events_of(output)]
    assert kinds == [("action_chat", "user-failed"), ("search_outage", "user-failed")]
    assert score.values["user_failures"] == 2


async def _with_model(
    trip: Scenario, member: ScriptedModel
) -> tuple[ScriptedModel, suite.Output, suite.Score]:
    task = Travel(TravelParameters(user="llm", max_steps=2))
    candidate = ScriptedModel(
        calls(move("action", "Which airline?"), move("search", "hotel")), capabilities=ALL
    )
    models = suite.Models({"candidate": [candidate], "user": [member]})
    sample = suite.Sample(trip.id, trip)
    output = await task.solve(sample, models)
    return candidate, output, await task.score(sample, output, models)


async def test_a_failing_call_is_not_caught(trip: Scenario) -> None:
    def answer(_: suite.Request) -> None:
        raise suite.CallFailed("connect", "no", retryable=True)

    with pytest.raises(suite.CallFailed):
        await play(trip, answer)


def test_roles_follow_the_user() -> None:
    assert set(task_of().roles()) == {"candidate"}
    assert set(Travel(TravelParameters()).roles()) == {"candidate", "user"}
    assert task_of(calling="tools").roles()["candidate"].choose(frozenset({"chat"})) is None
    assert task_of().roles()["candidate"].choose(frozenset({"chat", "seed"})) == frozenset({"chat"})
    assert task_of(source="synth").datasets() == ()
    with pytest.raises(suite.NotFound, match="rules-v1"):
        task_of(user="rules-v2")


async def test_tools_asked_for_and_missing(trip: Scenario) -> None:
    with pytest.raises(suite.CapabilityError, match="tools"):
        await play(trip, script(suite.Reply("x")), frozenset({"chat"}), calling="tools")


async def test_facts_name_user_and_scenarios(files: Callable[..., Any]) -> None:
    facts = await task_of(tags=["22"]).open(files(), task_tools())
    assert facts["user"] == "rules-v1 (version 1)"
    assert "not comparable" in facts["scenarios"]
    facts = await task_of(source="synth", user="rules-v1?broad=5", compat="released-async").open(
        files(), task_tools()
    )
    assert facts["user"] == "rules-v1 (version 1, broad=5)" and "defects" in facts["compat"]


def test_samples_are_lazy_stable_and_carry_no_parameter(files: Callable[..., Any]) -> None:
    one = list(task_of(tags=["22", "33"]).samples(files()))
    other = list(task_of(tags=["22", "33"], mode="multi", max_steps=4).samples(files()))
    assert [sample.id for sample in one] == [sample.id for sample in other]
    assert one[0].tags["tag"] == "22" and one[0].tags["tier"] == "easy"
    synth = task_of(source="synth").samples(files())
    assert next(iter(synth)).id == next(iter(task_of(source="synth").samples(files()))).id


@pytest.mark.parametrize(
    "bad", [{"max_steps": 0}, {"tags": ["55"]}, {"split": "dev"}, {"colour": 1}, {"noise": -1}]
)
def test_bad_parameters(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        TravelParameters.model_validate(bad)


async def test_scoring_something_else_says_so(trip: Scenario) -> None:
    with pytest.raises(suite.DataError, match="no UserBench episode"):
        await task_of().score(suite.Sample(trip.id, trip), suite.Output("text"), suite.Models({}))


async def test_baselines_speak_both_ways(trip: Scenario) -> None:
    for capabilities in (ALL, frozenset({"chat"})):
        _, output, _ = await play(trip, lambda r: baselines.random(r, None), capabilities)
        kinds = [event.kind for event in events_of(output)]
        assert kinds.count("search_valid") == 2 and output.finish == "stop"
