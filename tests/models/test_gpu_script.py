"""What the script for a GPU refuses before it starts anything."""

import subprocess
import sys
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
