"""The benchmarks of one driver with many workers carry a small run out to its end."""

import json
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def test_a_small_simulation_runs_to_its_end(tmp_path: Path) -> None:
    given = ["--samples", "10", "--workers", "2", "--modes", "remote", "--json", str(tmp_path / "found.json")]
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "scale.py"), *given],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ((row,),) = json.loads((tmp_path / "found.json").read_text()).values()
    assert row["samples"] == 2 * 64 * 20
    assert 0.5 < row["busy"] < 1.0
    assert row["journal_bytes"] > 1200
