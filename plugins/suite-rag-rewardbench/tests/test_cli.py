"""`suite reward-models` over runs made by the importer."""

import json
from pathlib import Path

import pytest

import suite


def made(tmp_path: Path, name: str, won: list[bool]) -> str:
    columns = {
        "subset": ["donotanswer"] * len(won),
        "results": [float(one) for one in won],
        "scores_chosen": [float(one) for one in won],
        "scores_rejected": [0.5] * len(won),
        "model": f"org/{name}",
    }
    (tmp_path / f"{name}.json").write_text(json.dumps(columns), "utf-8")
    return str(suite.import_run("reward-bench", tmp_path / f"{name}.json", tmp_path / name))


def test_models_are_shown_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [made(tmp_path, "a", [True, True, False, False]), made(tmp_path, "b", [True, False, False, False])]
    assert suite.run_command("reward-models", *runs, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["reward-bench/v1"][:5] for one in told["Headlines"]] == ["0.500", "0.250"]
    (pair,) = told["reward-bench/v1: agreement"]
    assert (pair["same"], pair["both right"], pair["only model"], pair["neither"]) == (0.75, 1, 1, 2)
    assert pair["kappa"] == pytest.approx((0.75 - 0.5) / 0.5)
    assert suite.run_command("reward-models", *runs) == 0
    assert "0.750" in capsys.readouterr().out
    assert suite.run_command("reward-models", str(tmp_path / "none")) == 2
