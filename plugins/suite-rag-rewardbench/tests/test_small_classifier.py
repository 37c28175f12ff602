"""A classifier trained on the spot goes through the suite's own command; runs where torch is installed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from suite_rag_rewardbench import small_classifier

pytestmark = pytest.mark.slow
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}  # more only wait for each other at this size


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_classifier.train(tmp_path_factory.mktemp("models") / "small-reward")


def evaluate(model: str, out: Path, *flags: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "suite", "eval", "--mini", "--json", "--no-cache", "--output", str(out)]
    done = subprocess.run(
        [*command, "--model", model, *flags],
        capture_output=True,
        text=True,
        cwd=out.parent,
        check=False,
        env=ONE_THREAD,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def value(cell: dict[str, Any], name: str) -> float:
    return float(next(one["value"] for one in cell["metrics"] if one["name"] == name and not one["slice"]))


def test_it_ranks_unseen_pairs_above_chance(folder: Path, tmp_path: Path) -> None:
    texts = {text for row in small_classifier.pairs() for text in row}
    unseen = list(small_classifier.pairs(small_classifier.TRAIN.parent / "test"))
    assert not texts.intersection(text for row in unseen for text in row)
    found = evaluate(f"transformers/{folder}", tmp_path / "run", "--task", "rag-rewardbench", "-o", "batch=4")
    (cell,) = found["cells"]
    assert (cell["samples"], cell["pending"]) == (24, 0)
    low = next(one["low"] for one in cell["metrics"] if one["name"] == "correct" and not one["slice"])
    assert low > 0.5
    assert value(cell, "margin") > 0
    assert value(cell, "failed") == 0
    calls = (tmp_path / "run/calls.jsonl").read_text("utf-8").splitlines()
    assert len(calls) == 24  # both answers of a pair in one request


def test_the_same_model_turned_round_is_below_chance(folder: Path, tmp_path: Path) -> None:
    import torch
    import transformers

    model = transformers.LlamaForSequenceClassification.from_pretrained(folder)
    with torch.no_grad():
        model.score.weight.neg_()
    turned = tmp_path / "turned"
    model.save_pretrained(turned)
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(turned)
    found = evaluate(f"transformers/{turned}", tmp_path / "run", "--task", "rag-rewardbench")
    assert value(found["cells"][0], "correct") < 0.5


def test_the_same_training_gives_the_same_weights(folder: Path, tmp_path: Path) -> None:
    again = small_classifier.train(tmp_path / "again")
    assert (again / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
