"""What the script for a GPU refuses before it starts anything."""

import json
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks/gpu.py"


def test_all_that_would_fail_late_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUITE_VLLM_PYTHON", str(tmp_path / "python"))
    given = ["--model", str(tmp_path), "--reward", "/nowhere", "--parts", "sweep,dance", "--out", "figures"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *given], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    for wrong in (
        "--parts: 'dance'",
        "--model: no config.json",
        "--reward: no config.json",
        "SUITE_VLLM_PYTHON",
    ):
        assert wrong in done.stderr
    assert not (tmp_path / "figures").exists()


def test_figures_hold_no_folders_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec = util.spec_from_file_location("gpu_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, script)
    spec.loader.exec_module(script)
    told = {"a": "/home/me/model", "failed": "no /var/log/z.log\n/usr/lib/q: 1/2", "url": "http://h:1/v1/x"}
    found = json.loads(script.without_places(json.dumps(told)))
    assert found == {"a": "model", "failed": "no z.log\nq: 1/2", "url": "http://h:1/v1/x"}
