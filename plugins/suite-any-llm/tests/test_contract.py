"""The provider keeps the contract over three protocols, and says what it lacks."""

import importlib.metadata
import json
import subprocess
import sys
from dataclasses import replace

import pytest

import suite
from suite.testing import LoopbackServer, ProviderCase, WireReply, WireRequest, conformance

LACKING = "any-llm and suite-any-llm are not installed here: `tox -e any-llm` has them"
pytest.importorskip("any_llm", reason=LACKING)
pytest.importorskip("suite_any_llm", reason=LACKING)

from suite_any_llm.case import CASE  # noqa: E402
from suite_any_llm.engine import AnyLLMEngine, provider  # noqa: E402
from wire_protocols import BEDROCK_CASE, GEMINI_CASE  # noqa: E402

# google-genai's
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
# boto3 knows no asynchronous calls: a cancelled one goes on in its thread. A cloud's keys are found later.
OF_BEDROCK = [name for name in conformance.provider_checks() if name not in ("cancelling", "engine")]


@pytest.mark.parametrize("name", conformance.provider_checks())
@pytest.mark.parametrize("case", [CASE, GEMINI_CASE], ids=["openai", "gemini"])
def test_the_contract_is_kept(case: ProviderCase, name: str) -> None:
    conformance.check(replace(case, provider=provider), [name]).require()


@pytest.mark.parametrize("name", OF_BEDROCK)
def test_the_contract_is_kept_by_bedrock(name: str) -> None:
    conformance.check(replace(BEDROCK_CASE, provider=provider), [name]).require()


def test_the_plugin_names_its_case() -> None:
    assert provider.case == "suite_any_llm.case:CASE"


def test_the_library_is_imported_by_nothing_but_a_plan() -> None:
    code = "import sys, suite_any_llm.plugin, suite_any_llm.engine; print('any_llm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def made(name: str, **options: suite.Json) -> suite.Engine:
    return provider.engine(suite.ModelSpec("any-llm", name, options))


@pytest.mark.parametrize(
    ("version", "says"),
    [("1.12.0", "1.12.0 is not a version"), ("2.0.1", "2.0.1 is not a version"), (None, "needs the library")],
)
def test_a_missing_or_another_version_is_said_when_planning(
    monkeypatch: pytest.MonkeyPatch, version: str | None, says: str
) -> None:
    def told(name: str) -> str:
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr("importlib.metadata.version", told)
    with pytest.raises(suite.ConfigError, match=says):
        made("gemini/some").check()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gemini", "names no service"),
        ("gemnii/some", r"knows no service 'gemnii'\n  did you mean gemini"),
        ("cohere/some", r"pip install 'any-llm-sdk\[cohere\]'"),
        ("gemini/some", "export GEMINI_API_KEY or GOOGLE_API_KEY="),
    ],
)
def test_what_is_missing_is_named_when_planning(
    monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    with pytest.raises(suite.SuiteError, match=says):
        made(name).check()


@pytest.mark.parametrize(("service", "lacks"), [("gemini", "logprobs"), ("bedrock", "seed")])
def test_what_the_library_would_leave_out_cannot_be_declared(service: str, lacks: str) -> None:
    with pytest.raises(suite.ConfigError, match=rf"cannot have {lacks}"):
        made(f"{service}/some", capabilities=["chat", lacks])


async def sent(
    case: ProviderCase, monkeypatch: pytest.MonkeyPatch, **options: object
) -> tuple[dict[str, object], object]:
    """What a server is asked for a question with such options, and what comes of it."""
    asked: list[WireRequest] = []

    def answer(request: WireRequest) -> WireReply:
        asked.append(request)
        return case.protocol.answer(suite.Reply("fine"), False) or WireReply.of({})

    monkeypatch.setenv(case.key_env, "key-of-nobody-12345")
    with LoopbackServer(answer) as server:
        engine = replace(case, provider=provider).engine(server.url)
        await engine.start(suite.Surroundings())
        request = suite.Request("chat", (suite.user("Hi"),), options=suite.Options(**options))  # type: ignore[arg-type]
        try:
            got: object = await engine.call(request, suite.Asking(seed=7))
        except suite.CallFailed as failed:
            got = failed
        await engine.close()
    return (json.loads(asked[-1].body) if asked else {}), got


@pytest.mark.parametrize("thinking", ["off", "high"])
async def test_thinking_is_told_in_the_words_of_the_service(
    monkeypatch: pytest.MonkeyPatch, thinking: str
) -> None:
    body, _ = await sent(CASE, monkeypatch, thinking=thinking)
    assert body["reasoning_effort"] == {"off": "none", "high": "high"}[thinking]
    body, _ = await sent(GEMINI_CASE, monkeypatch, thinking=thinking)
    told = body["generationConfig"]["thinkingConfig"]  # type: ignore[index]
    assert (
        told
        == {"off": {"thinking_budget": 0}, "high": {"include_thoughts": True, "thinking_budget": 24576}}[
            thinking
        ]
    )


async def test_a_seed_goes_where_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await sent(CASE, monkeypatch))[0]["seed"] == 7
    assert (await sent(GEMINI_CASE, monkeypatch))[0]["generationConfig"]["seed"] == 7  # type: ignore[index]
    assert "seed" not in str((await sent(BEDROCK_CASE, monkeypatch))[0])


async def test_what_a_service_does_not_take_is_named_and_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    body, failed = await sent(BEDROCK_CASE, monkeypatch, thinking="high")
    assert isinstance(failed, suite.CallFailed)
    assert (body, failed.retryable) == ({}, False)
    assert "reasoning_effort" in failed.message


def test_tokens_of_thinking_are_refused_when_planning() -> None:
    assert "number of tokens" in made("gemini/some").thinks(4096)
    assert made("gemini/some").thinks("low") == ""


def test_names_stand_for_models_of_services_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert made("gemini/some").known_by() == "told"
    assert made("ollama/some").known_by() == "nothing"
    assert made("gemini/some", base_url="http://127.0.0.1:9").known_by() == "nothing"
    assert isinstance(made("gemini/some"), AnyLLMEngine)


def test_keys_of_a_cloud_are_not_looked_for_while_planning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    made("bedrock/some").check()
