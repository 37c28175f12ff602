from pathlib import Path
from typing import Any

import pytest

from suite.chat import Message, Options, Reply, Request, assistant, system, user
from suite.errors import CallFailed, ConfigError, DataError, NotFound
from suite.models.behaviours import options_in, options_of, smallest
from suite.models.engine import Asking, Engine
from suite.models.scripted import ScriptedEngine, provider
from suite.models.spec import parse_spec

ASKING = Asking(seed=7, group="g", sample="s")


def chat(text: str, **options: object) -> Request:
    return Request("chat", (user(text),), options=Options(**options))  # type: ignore[arg-type]


def engine(text: str, **options: str) -> Engine:
    return provider.engine(parse_spec(f"scripted/{text}", options.items()))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("echo", "Pick one:\nA. tea\nB. milk"),
        ("constant?text=yes", "yes"),
        ("first-option", "A"),
        ("first-option?format=<choice>{}</choice>", "<choice>A</choice>"),
    ],
)
async def test_built_in_behaviours(name: str, said: str) -> None:
    reply = await engine(name).call(chat("Pick one:\nA. tea\nB. milk"), ASKING)
    assert (reply.text, reply.finish) == (said, "stop")


async def test_random_behaviours_repeat_and_follow_the_seed_only_when_sampling() -> None:
    words = engine("words")
    cold = [await words.call(chat("x", temperature=0.0), Asking(seed=seed)) for seed in (1, 2)]
    warm = [await words.call(chat("x", temperature=1.0), Asking(seed=seed)) for seed in (1, 2, 1)]
    assert cold[0] == cold[1]
    assert warm[0] == warm[2] != warm[1]


MENU = "Pick one:\nA. tea\nB. milk\nC. cocoa\nD. water"


async def test_options_are_looked_for_in_the_whole_request() -> None:
    prefilled = Request("chat", (user(MENU), assistant("<choice>")))
    talk = Request(
        "chat", (user("A. x\nB. y"), assistant("B"), user(MENU.replace("A.", "(A)")), user("Please."))
    )
    for request in (prefilled, talk, Request("complete", prompt=MENU)):
        assert options_of(request) == ["A", "B", "C", "D"]
        assert (await engine("random-option").call(request, ASKING)).text in "ABCD"


async def test_nothing_is_chosen_where_there_are_no_options() -> None:
    opening = Request("chat", (system("s"), user("I like tea.")))
    assert (await engine("random-option").call(opening, ASKING)).text == "Yes."
    later = Request("chat", (*opening.messages, assistant("ok"), user("What should I drink?")))
    for behaviour in ("random-option", "first-option"):
        for request in (chat("What should I drink?"), later):
            with pytest.raises(CallFailed, match="no-options: the request lists no options"):
                await engine(behaviour).call(request, ASKING)


async def test_random_option_is_uniform_over_requests_and_seeds() -> None:
    guesser = engine("random-option")
    cold = [(await guesser.call(chat(f"{i}: {MENU}", temperature=0.0), ASKING)).text for i in range(400)]
    warm = [(await guesser.call(chat(MENU, temperature=1.0), Asking(seed=i))).text for i in range(400)]
    for picked in (cold, warm):
        chi_square = sum((picked.count(one) - 100) ** 2 / 100 for one in "ABCD")
        assert chi_square < 16.27  # 3 degrees of freedom, p = 0.001


async def test_rate_and_rank_answer_with_scores_and_order() -> None:
    rated = await engine("longest").call(Request("rate", (user("q"),), texts=("ab", "abcd")), ASKING)
    ranked = await engine("longest").call(
        Request("rank", prompt="q", texts=("a", "abc", "abc"), options=Options(top=2)), ASKING
    )
    assert rated.scores == (2.0, 4.0)
    assert ranked.ranking == ((1, 3.0), (2, 3.0))


async def test_an_empty_answer_is_the_candidates_failure() -> None:
    assert (await ScriptedEngine(lambda request, asking: "  ").call(chat("x"), ASKING)).finish == "empty"


async def test_functions_may_be_async_return_replies_and_fail() -> None:
    async def function(request: Request, asking: Asking) -> Reply:
        if asking.trial:
            raise CallFailed("busy", "later", retryable=True)
        return Reply(request.messages[-1].content.upper())

    scripted = ScriptedEngine(function)
    assert (await scripted.call(chat("x"), ASKING)).text == "X"
    with pytest.raises(CallFailed, match="busy: later"):
        await scripted.call(chat("x"), Asking(trial=1))
    assert scripted.calls == 2


async def test_a_window_overflows() -> None:
    reply = await engine("echo?window=2").call(chat("123456789"), ASKING)
    assert (reply.finish, reply.text) == ("overflow", "")


async def test_what_was_not_declared_is_refused() -> None:
    scripted = engine("echo", capabilities="chat")
    assert scripted.capabilities() == {"chat"}
    with pytest.raises(CallFailed, match=r"unsupported: scripted/echo has no json_schema") as caught:
        await scripted.call(chat("x", json_schema={}), ASKING)
    assert not caught.value.retryable


async def test_rules_of_a_file_are_tried_in_order(tmp_path: Path) -> None:
    rules = tmp_path / "rules.jsonl"
    rules.write_text(
        '{"member": "judge", "text": "Yes"}\n'
        '{"contains": "sea", "texts": ["first", "second"]}\n'
        '{"pattern": "^bad", "fail": "broken", "retryable": true}\n'
    )
    scripted = engine(str(rules))
    assert (await scripted.call(chat("sea"), Asking(member="judge"))).text == "Yes"
    assert (await scripted.call(chat("by the sea"), Asking(trial=3))).text == "second"
    with pytest.raises(CallFailed, match="broken") as caught:
        await scripted.call(chat("bad"), ASKING)
    assert caught.value.retryable
    with pytest.raises(CallFailed, match=r"no-rule: no rule of rules\.jsonl fits the chat request"):
        await scripted.call(chat("else"), ASKING)
    assert scripted.identity()["name"] == "rules.jsonl"


@pytest.mark.parametrize("line", ['{"txt": "x"}', "{", '{"text": 3}'])
def test_a_bad_rule_names_file_and_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "r.jsonl").write_text(f'{{"text": "fine"}}\n{line}\n')
    with pytest.raises(DataError, match=r"r\.jsonl line 2(:| is not a rule)"):
        engine(str(tmp_path / "r.jsonl"))


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("ecoh", {}, NotFound, "did you mean 'echo'"),
        ("echo", {"delay": "3"}, NotFound, "did you mean 'delay_s'"),
        ("echo", {"delay_s": "-3"}, ConfigError, "option 'delay_s' of scripted/echo"),
        ("echo", {"capabilities": "chatt"}, NotFound, "no capability named 'chatt'"),
        ("nowhere.module:function", {}, ConfigError, "cannot load the function"),
        ("missing.jsonl", {}, DataError, "cannot read missing.jsonl"),
    ],
)
def test_bad_specs_are_named_before_anything_starts(
    name: str, options: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        engine(name, **options)


async def test_a_function_is_found_by_module_and_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_answers.py").write_text("def answer(request, asking):\n    return asking.sample\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert (await engine("my_answers:answer").call(chat("x"), ASKING)).text == "s"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("A. tea\nB. milk", ["A", "B"]),
        ("(a) tea\n(b) milk", ["a", "b"]),
        ("1) x\n2) y", ["1", "2"]),
        ("- <choice>A</choice> tea\n- <choice>B</choice> x", ["A", "B"]),
        ("**A.** tea\n**B.** milk", ["A", "B"]),
        ("Option A: tea\nOption B: milk", ["A", "B"]),
        ("A - tea\nB - milk", ["A", "B"]),
        ("1. Read on.\n2. Choose.\nA. tea\nB. milk\nC. x", ["A", "B", "C"]),
        ("A. old\nB. old\n\nNow:\nA. tea\nB. milk\nC. x", ["A", "B", "C"]),
        ("A man walks", []),
        ("A. tea", []),
    ],
)
def test_options_in(text: str, labels: list[str]) -> None:
    assert options_in(text) == labels


def test_smallest_value_of_a_schema() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "verdict": {"enum": ["yes", "no"]},
            "score": {"type": "integer", "minimum": 1},
            "why": {"type": "string"},
            "list": {"type": "array", "items": {"type": "boolean"}, "minItems": 1},
            "extra": {"type": "string"},
        },
        "required": ["verdict", "score", "why", "list"],
    }
    assert smallest(schema) == {"verdict": "yes", "score": 1, "why": "x", "list": [False]}


async def test_declared_conversations_are_seen_whole() -> None:
    seen: list[tuple[Message, ...]] = []

    def function(request: Request, asking: Asking) -> str:
        seen.append(request.messages)
        return "ok"

    await ScriptedEngine(function).call(Request("chat", (user("a"), user("b"))), ASKING)
    assert seen == [(user("a"), user("b"))]
