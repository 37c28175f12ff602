"""Raw prompts byte for byte, by hashes of what upstream's templates make of the same parts; who gets what."""

import hashlib
from typing import Any

import pytest
from suite_prefeval.classification import Classification
from suite_prefeval.generation import Generation
from suite_prefeval.parameters import ClassificationParameters, GenerationParameters
from suite_prefeval.profiles import Profile, Talk, chat, of_model, raw

import suite

OPTIONS = "\n\nA. x\nB. y"
TOLD = {
    True: (suite.user("I keep a\nhalal diet."), suite.assistant("Noted. ")),
    False: (
        suite.user("Tea or coffee?"),
        suite.assistant("I offer:\n1. tea"),
        suite.user("Tea."),
        suite.assistant("Good."),
    ),
}
UNRELATED = (suite.user("m0\nx"), suite.assistant("m1"), suite.user("m2"), suite.assistant(" m3"))
STAGES = {"question": 1, "quoted": 1, "critique": 3, "revision": 5}

# family -> (form, stage) -> first digits of the SHA-256 of upstream's prompt: of an answer, of a choice
VECTORS: dict[Profile, dict[tuple[str, str], tuple[str, str]]] = {
    "llama": {
        ("explicit", "question"): ("23e109d4658b", "df2fb6b47e43"),
        ("explicit", "quoted"): ("23e109d4658b", "df2fb6b47e43"),
        ("implicit", "question"): ("eb5d853197b3", "64b932e7d483"),
        ("implicit", "quoted"): ("f1e6c8ec3248", "0a3a69155046"),
        ("explicit", "critique"): ("35c488316e07", "0c5c1fc14c58"),
        ("explicit", "revision"): ("122adf840e99", "f2358d59fa47"),
        ("implicit", "critique"): ("c3bb8eb0c941", "9cca356e343c"),
        ("implicit", "revision"): ("07cb3857690c", "3d977f09bd50"),
    },
    "mistral": {
        ("explicit", "question"): ("0b1715ef7a94", "0234a2d44225"),
        ("explicit", "quoted"): ("0b1715ef7a94", "0234a2d44225"),
        ("implicit", "question"): ("fae544468e6a", "774a75da2b6f"),
        ("implicit", "quoted"): ("4e554199bc90", "43eba11915e0"),
        ("explicit", "critique"): ("685615763b88", "a873ac523720"),
        ("explicit", "revision"): ("9686a48df7ee", "a329c7358511"),
        ("implicit", "critique"): ("feb13f7d16ce", "8840d091233d"),
        ("implicit", "revision"): ("6a095fbd298c", "956c117549bc"),
    },
}
FIRST: dict[Profile, str] = {"llama": "df49f445422a", "mistral": "d7a1348879d9"}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def talk(form: str, stage: str, *, choice: bool) -> Talk:
    explicit, block = form == "explicit", OPTIONS if choice else ""
    rest = (
        suite.user("What to cook?\n(words)" + block),
        suite.assistant("An answer."),
        suite.user("Critique now:\n"),
        suite.assistant("A critic."),
        suite.user("Revise now: " + block),
    )
    return Talk(
        system="You are a helpful assistant."
        if explicit or stage == "quoted"
        else "You are a helpful AI assistant.",
        told=TOLD[explicit],
        unrelated=UNRELATED,
        rest=rest[: STAGES[stage]],
        quoted=stage == "quoted",
        explicit=explicit,
        choice=choice,
    )


@pytest.mark.parametrize("profile", VECTORS)
def test_raw_prompts_are_upstreams(profile: Profile) -> None:
    for (form, stage), (answer, choice) in VECTORS[profile].items():
        assert digest(raw(profile, talk(form, stage, choice=False))) == answer, (form, stage)
        assert digest(raw(profile, talk(form, stage, choice=True))) == choice, (form, stage)
    first = Talk("You are a helpful assistant.", TOLD[True][:1], ())
    assert digest(raw(profile, first)) == FIRST[profile]


def test_gpt_gets_a_system_text_with_rag_alone() -> None:
    roles = [chat("gpt", talk("explicit", stage, choice=False))[0].role for stage in ("question", "quoted")]
    assert roles == ["user", "system"]
    assert chat("gemini", talk("explicit", "question", choice=False))[0].role == "system"


@pytest.mark.parametrize(
    ("name", "profile"),
    [
        ("mistral8x7b", "mistral"),
        ("llama370b", "llama"),
        ("claude3s", "chat"),
        ("gpt-o1", "gpt"),
        ("x", "chat"),
    ],
)
def test_the_family_of_a_short_name(name: str, profile: str) -> None:
    assert of_model(name) == profile


async def solved(task: Any, data: Any, scripted: Any) -> tuple[list[suite.Request], suite.Output]:
    await task.open(data, None)
    sample = next(iter(task.samples(data)))
    model: Any = scripted("candidate", lambda _: suite.Reply(text=f"r{len(model.requests)}"))
    output = await task.solve(sample, suite.Models({"candidate": [model]}))
    return model.requests, output


@pytest.mark.parametrize("profile", ["llama", "mistral"])
async def test_a_raw_profile_continues_a_prompt(mini: Any, scripted: Any, profile: Any) -> None:
    task = Generation(GenerationParameters(profile=profile, inter_turns=1, method="selfcritic"))
    asked, output = await solved(task, mini, scripted)
    assert [(one.kind, one.options.max_tokens) for one in asked] == [
        ("complete", tokens) for tokens in (300, 300, 300, 500)
    ]
    assert {one.options.temperature for one in asked} == {0.0}
    assert "r1" in asked[1].prompt
    assert output.text == "r4"
    assert task.roles()["candidate"].needs == (frozenset({"complete"}),)


async def test_an_implicit_form_has_another_system_text(mini: Any, scripted: Any) -> None:
    task = Generation(GenerationParameters(profile="llama", inter_turns=0, form="implicit-choice"))
    (request,), _ = await solved(task, mini, scripted)
    assert "        You are a helpful AI assistant.\n" in request.prompt


@pytest.mark.parametrize(("profile", "begin"), [("mistral", "<choice>"), ("llama", "")])
async def test_a_choice_of_a_raw_profile_is_read_behind_its_tag(
    mini: Any, scripted: Any, profile: Any, begin: str
) -> None:
    task = Classification(ClassificationParameters(profile=profile, inter_turns=0))
    asked, output = await solved(task, mini, scripted)
    assert [one.options.max_tokens for one in asked] == [5, 5]
    assert asked[-1].prompt.endswith("\n<choice>\n") is (profile == "mistral")
    assert output.text == f"{begin}r2"


@pytest.mark.parametrize("profile", ["gpt", "gemini"])
async def test_some_families_get_neither_temperature_nor_limit(
    mini: Any, scripted: Any, profile: Any
) -> None:
    task = Generation(GenerationParameters(profile=profile, inter_turns=1))
    asked, _ = await solved(task, mini, scripted)
    assert {(one.options.temperature, one.options.max_tokens) for one in asked} == {(None, None)}
    assert [one.messages[0].role == "system" for one in asked] == [profile == "gemini"] * 2
