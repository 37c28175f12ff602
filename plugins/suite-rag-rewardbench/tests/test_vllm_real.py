"""A trained classifier through a real vLLM server and the suite's own command: see tests/vllm/README.md."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from suite_rag_rewardbench import __file__ as package

import suite

PYTHON = os.environ.get("SUITE_VLLM_PYTHON", "")

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(not PYTHON, reason="SUITE_VLLM_PYTHON not set"),
]

LOGITS = """
import json, sys, torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from suite_rag_rewardbench import small_classifier as small
folder = sys.argv[1]
model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
words = AutoTokenizer.from_pretrained(folder)
def score(turn, answer):
    return small._score(model, small._ids(words, turn, answer)).item()
with torch.no_grad():
    rows = small.pairs(small.TRAIN.parent / "test")
    print(json.dumps([[score(turn, one) for one in answers] for turn, *answers in rows]))
"""


def by_vllms_python(*arguments: str) -> str:
    paths = [Path(module).resolve().parents[1] for module in (str(suite.__file__), package)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([PYTHON, *arguments], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_ranks_unseen_pairs_with_the_logits_of_transformers(tmp_path: Path) -> None:
    folder = tmp_path / "small-reward"
    by_vllms_python("-m", "suite_rag_rewardbench.small_classifier", str(folder))
    wanted = {tuple(pair) for pair in json.loads(by_vllms_python("-c", LOGITS, str(folder)))}
    command = [
        sys.executable,
        "-m",
        "suite",
        "eval",
        "--task",
        "rag-rewardbench",
        "--mini",
        "--json",
        "--no-cache",
    ]
    settings = {"dtype": "float32", "enforce_eager": "true", "env": '{"VLLM_CPU_KVCACHE_SPACE": "1"}'}
    options = [part for pair in settings.items() for part in ("-o", "=".join(pair))]
    run = tmp_path / "run"
    done = subprocess.run(
        [*command, "--model", f"vllm/{folder}", "--output", str(run), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (cell,) = json.loads(done.stdout)["cells"]
    found = {one["name"]: one for one in cell["metrics"] if not one["slice"]}
    assert found["correct"]["low"] > 0.5
    assert found["failed"]["value"] == 0.0
    outputs = [json.loads(line) for line in (run / "outputs.jsonl").read_text("utf-8").splitlines()]
    scores = sorted(tuple(one["output"]["data"]["scores"]) for one in outputs)
    for pair, expected in zip(scores, sorted(wanted), strict=True):
        assert pair == pytest.approx(expected, abs=2e-3)
