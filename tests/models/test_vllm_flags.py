"""What we say to vLLM is known to its versions: flags, reasoning parsers and request fields, by a table.

`tests/vllm/flags.py` makes the table from the sources of the versions.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from suite.chat import Options, Request, Tool, assistant, user
from suite.models.settings import NEUTRAL
from suite.models.vllm_command import Installation, command, flags, parsers, reproducible, version_of
from suite.models.wire import DIALECTS, chat_body

TABLE: dict[str, dict[str, list[str]]] = json.loads(
    (Path(__file__).parent / "vllm_flags.json").read_text(encoding="utf-8")
)
VERSIONS = [version for version in TABLE if version != "all"]
USED = {
    "max_model_len": 8192,
    "dtype": "float32",
    "tensor_parallel_size": 2,
    "enforce_eager": True,
    "tool_call_parser": "hermes",
    "reasoning_parser": "qwen3",
    "generation_config": "vllm",
    "override_generation_config": {"top_k": 5},
    "chat_template": "x.jinja",
    "hf_overrides": {"architectures": ["X"]},
}


def known(version: str, kind: str) -> set[str]:
    return {*TABLE["all"][kind], *TABLE[version][kind]}


def named(line: list[str]) -> set[str]:
    """The flags of a command line, without `no-`."""
    return {
        one.partition("=")[0].removeprefix("--").removeprefix("no-") for one in line if one.startswith("--")
    }


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("pooling", [False, True])
@pytest.mark.parametrize("cpu", [False, True])
def test_every_version_takes_the_flags_that_we_build(version: str, pooling: bool, cpu: bool) -> None:
    vllm = Installation("python", True, version, cpu)
    more, _ = reproducible(vllm, {})
    line = command(vllm, "org/m", "m", 8000, flags({**USED, **more}), pooling=pooling)
    assert named(line) - known(version, "flags") == set()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_has_the_reasoning_parsers_that_it_is_started_with(version: str) -> None:
    ours = {one.name for one in parsers() if one.name and version_of(version) >= one.since}
    assert ours - known(version, "reasoning_parsers") == set()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("thinking", ["off", "low", 512])
def test_every_version_has_the_fields_that_we_send(version: str, thinking: str | int) -> None:
    options = Options(
        temperature=0.0,
        max_tokens=5,
        stop=("x",),
        logprobs=1,
        json_schema={"type": "object"},
        tool_choice="required",
        continue_final=True,
        template={"a": 1},
        thinking=thinking,
    )
    request = Request("chat", (user("x"), assistant("y")), tools=(Tool("t"),), options=options)
    dialect = msgspec.structs.replace(DIALECTS["vllm"], neutral=dict(NEUTRAL))
    body: dict[str, Any] = msgspec.json.decode(chat_body(request, "m", dialect, 1, {}))
    assert set(body) - known(version, "chat_fields") == set()


@pytest.mark.vllm
@pytest.mark.skipif(not os.environ.get("SUITE_VLLM_PYTHON"), reason="SUITE_VLLM_PYTHON not set")
def test_the_table_says_what_the_installed_version_takes() -> None:
    where = "import importlib.util as u; print(u.find_spec('vllm').submodule_search_locations[0])"
    found = subprocess.run(
        [os.environ["SUITE_VLLM_PYTHON"], "-c", where], capture_output=True, text=True, check=True
    )
    script = Path(__file__).resolve().parents[1] / "vllm" / "flags.py"
    told = subprocess.run(
        [sys.executable, str(script), f"here={found.stdout.strip()}"], capture_output=True, check=True
    )
    here = json.loads(told.stdout)["all"]
    assert set(TABLE["all"]["flags"]) - set(here["flags"]) == set()
    assert set(TABLE["all"]["chat_fields"]) - set(here["chat_fields"]) == set()
