"""The provider keeps the contract, costs nothing until it is used, and says what it lacks."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

import suite

LACKING = "anthropic and suite-anthropic are not installed here: `tox -e providers` has them"
pytest.importorskip("anthropic", reason=LACKING)
pytest.importorskip("suite_anthropic", reason=LACKING)

from suite_anthropic.case import CASE  # noqa: E402
from suite_anthropic.engine import provider  # noqa: E402

TASK = """
import suite


class Ask(suite.Payload):
    id: str
    text: str


class Asks(suite.Task[Ask, suite.Parameters]):
    info = suite.TaskInfo("asks", 1, "Says amber", headline="amber", rows={"texts": "asks.jsonl"})
    metrics = (suite.Rate("amber"),)

    def samples(self, data):
        return (suite.Sample(row.id, row) for row in data.rows("texts", Ask))

    async def solve(self, sample, models):
        return (await models.candidate.chat(sample.payload.text, max_tokens=10)).output()

    async def score(self, sample, output, models):
        return suite.Score({"amber": output.text == "amber"})
"""

from suite.testing import LoopbackServer, WireReply, WireRequest, conformance  # noqa: E402


@pytest.mark.parametrize("name", conformance.provider_checks())
def test_the_contract_is_kept(name: str) -> None:
    conformance.check(CASE, [name]).require()


def test_the_plugin_names_its_case() -> None:
    assert provider.case == "suite_anthropic.case:CASE"


def test_the_library_is_imported_by_nothing_but_a_start() -> None:
    code = "import sys, suite_anthropic.plugin, suite_anthropic.engine; print('anthropic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("version", "said"), [("", "is not installed"), ("1.4.0", "anthropic 1.4.0 is too old")]
)
def test_a_library_that_is_missing_or_too_old_is_said_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    version: str,
    said: str,
) -> None:
    def told(name: str) -> str:
        if name == "anthropic" and not version:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("suite_anthropic.engine.importlib.metadata.version", told)
    (tmp_path / "asks.jsonl").write_text('{"id": "a", "text": "Hi"}\n')
    (tmp_path / "asks.py").write_text(TASK)
    assert suite.run_command("eval", "--task", "./asks.py", "--model", "anthropic/claude-haiku-4-5") == 2
    shown = capsys.readouterr().err
    assert said in shown and "pip install 'anthropic>=2'" in shown


@pytest.mark.parametrize("url", ["ftp://host", "http://me:secret@host", "http://host?key=1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(suite.ConfigError, match="base_url"):
        provider.engine(suite.ModelSpec("anthropic", "claude-haiku-4-5", {"base_url": url}))


def test_a_run_counts_cached_tokens_and_keeps_the_key_out_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-loopback-key-0123456789"
    monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "asks.jsonl").write_text('{"id": "a", "text": "Hi"}\n{"id": "b", "text": "Ho"}\n')
    (tmp_path / "asks.py").write_text(TASK)
    said = suite.Reply("amber", usage=suite.Usage(prompt=40, completion=6, cached=32))

    def answer(request: WireRequest) -> WireReply:
        asked = CASE.protocol.asked(request) if request.method == "POST" else None
        return CASE.protocol.aside(request) if asked is None else CASE.protocol.answer(said, False)  # type: ignore[return-value]

    with LoopbackServer(answer) as server:
        options = ["-o", f"base_url={server.url}", "--output", "run", "--quiet"]
        code = suite.run_command(
            "eval", "--task", "./asks.py", "--model", "anthropic/claude-haiku-4-5", *options
        )
    assert code == 0
    calls = json.loads(next(Path("run").glob("scorings/*/results.json")).read_text("utf-8"))["calls"][
        "candidate"
    ]
    assert (calls["prompt_tokens"], calls["cached_tokens"]) == (80, 64)
    assert all(key.encode() not in path.read_bytes() for path in Path("run").rglob("*") if path.is_file())
