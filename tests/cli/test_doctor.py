"""suite doctor: what it finds, what it keeps to itself, when it exits with 1."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from suite.cli import doctor

GOOD = "#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559 MiB, 580.1'\necho 'NVIDIA A10, 23028 MiB, 580.1'\n"
BAD = "#!/bin/sh\necho 'no devices' >&2\nexit 9\n"


def put_tool(folder: Path, text: str) -> str:
    tool = folder / "nvidia-smi"
    tool.write_text(text)
    tool.chmod(0o755)
    return os.pathsep.join((str(folder), os.environ["PATH"]))


def test_it_says_what_is_here_and_keeps_secrets(installed: Any, tmp_path: Path) -> None:
    cache = tmp_path / "none" / "yet"
    answer = installed.suite("doctor", "--json", SUITE_CACHE=str(cache), OPENAI_API_KEY="sk-very-secret-1")
    assert answer.code == 0
    found = json.loads(answer.out)
    assert found["python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert found["environment"]["OPENAI_API_KEY"] is True
    assert "sk-very-secret-1" not in answer.out + answer.err
    assert {key: found["cache"][key] for key in ("folder", "exists", "writable")} == {
        "folder": str(cache),
        "exists": False,
        "writable": True,
    }
    assert not cache.exists()
    assert found["cache"]["free_gib"] > 0
    assert set(found["extras"]) == {"embedded", "embedder", "ray", "vllm", "transformers"}
    assert {"suite-eval", "suite-prefeval"} <= {one["distribution"] for one in found["plugins"]}
    assert "sk-very-secret-1" not in installed.suite("doctor", OPENAI_API_KEY="sk-very-secret-1").out


def test_a_broken_plugin_is_named_and_the_exit_code_is_1(installed: Any) -> None:
    installed.plugin("cracked", source="raise RuntimeError('no luck')")
    answer = installed.suite("doctor")
    assert answer.code == 1
    assert "name cracked; distribution cracked; version 1.0; error RuntimeError: no luck" in answer.out


def test_gpus_are_those_that_nvidia_smi_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", put_tool(tmp_path, GOOD))
    assert doctor.gpus() == [
        {"name": "NVIDIA H100 80GB HBM3", "memory": "81559 MiB", "driver": "580.1"},
        {"name": "NVIDIA A10", "memory": "23028 MiB", "driver": "580.1"},
    ]
    put_tool(tmp_path, BAD)
    assert doctor.gpus() == [{"error": "nvidia-smi: CalledProcessError"}]
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert doctor.gpus() == []
