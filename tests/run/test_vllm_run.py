"""A whole run on the real vLLM server, where one is installed: see tests/vllm/README.md."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_tasks import Spell, cells, plan_of, run

from suite.journal.run import Run
from suite.models.supervisor import descendants

PYTHON = os.environ.get("SUITE_VLLM_PYTHON", "")
MODELS = Path(os.environ.get("SUITE_VLLM_MODELS", "/nowhere"))
pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(
        not PYTHON or not MODELS.is_dir(), reason="SUITE_VLLM_PYTHON, SUITE_VLLM_MODELS not set"
    ),
]
OPTIONS = {
    "dtype": "float32",
    "enforce_eager": "true",
    "max_model_len": "2048",
    "env": '{"VLLM_CPU_KVCACHE_SPACE": "1"}',
}


def model() -> str:
    return f"vllm/{MODELS / 'smollm2-135m'}"


async def test_candidate_and_judge_share_one_server_and_prefixes_are_reused(tmp_path: Path) -> None:
    options = [(role, key, value) for role in ("", "judge") for key, value in OPTIONS.items()]
    sweep = [{"turns": turns, "style": style} for turns in (0, 8, 16) for style in ("plain", "polite")]
    plan = plan_of(
        {"candidate": model(), "judge": model()}, cells(Spell, *sweep), options=options, concurrency=8
    )
    assert len(plan.filled.engines()) == 1
    outcome = await run(plan, tmp_path / "run")
    assert outcome.exit_code == 0, outcome
    assert outcome.results is not None
    candidate = outcome.results.calls["candidate"]
    assert candidate.calls == 12 * (1 + 6)
    # a block is 128 tokens on the CPU and 16 on a GPU, so less is found here than could be
    assert candidate.cached_tokens / candidate.prompt_tokens > 0.3
    reader = Run(tmp_path / "run")
    identity = reader.manifest.roles["candidate"][0].identity
    assert identity["engine_version"]
    assert str(MODELS) not in str(reader.manifest)
    counters = [one.detail for one in reader.journal.attempts if one.event == "engine"]
    assert any("prefix_cache_hits" in one for one in counters)


def test_the_server_dies_with_a_run_that_is_killed(tmp_path: Path) -> None:
    flags = [flag for key, value in OPTIONS.items() for flag in ("-o", f"{key}={value}")]
    command = [sys.executable, "-m", "suite", "eval", "--task", "prefeval/classification", "--mini"]
    process = subprocess.Popen([*command, "--model", model(), "--output", str(tmp_path / "run"), *flags])
    deadline = time.monotonic() + 600
    while not (tmp_path / "run/calls.jsonl").exists() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.5)
    started = descendants(process.pid)
    assert started
    process.kill()
    process.wait()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any(Path(f"/proc/{pid}").exists() for pid in started):
        time.sleep(0.2)
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []


async def test_two_real_servers_answer_as_one(tmp_path: Path) -> None:
    options = [("", key, value) for key, value in {**OPTIONS, "replicas": "2"}.items()]
    sweep = cells(Spell, {"turns": 8}, {"turns": 16})
    plan = plan_of({"candidate": model()}, sweep, options=options, concurrency=4)
    outcome = await run(plan, tmp_path / "run")
    assert outcome.exit_code == 0, outcome
    reader = Run(tmp_path / "run")
    assert len({call.id for call in reader.journal.calls}) == 12 * (1 + 2)
    assert reader.manifest.roles["candidate"][0].limits["replicas"] == 2
    assert len([*tmp_path.glob("run/logs/*.log"), *tmp_path.glob("run/logs/replica-2/*.log")]) == 2
    assert outcome.results is not None
    assert outcome.results.calls["candidate"].cached_tokens > 0
