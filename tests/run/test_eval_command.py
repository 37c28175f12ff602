"""`suite eval` and `suite score` as a person runs them: processes, exit codes, what is printed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from openai_server import OpenAIServer

pytest.importorskip("suite_prefeval")
BASE = [
    "eval",
    "--task",
    "prefeval/classification",
    "--mini",
    "-P",
    "topics=cooking_meals",
    "-P",
    "inter_turns=0",
]


def suite(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "suite", *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=240, check=False)


def test_a_run_is_shown_reported_continued_and_scored_again(tmp_path: Path) -> None:
    command = [*BASE, "--model", "scripted/first-option?format=<choice>{}</choice>", "--output", "one"]
    first = suite(*command, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "correct" in first.stdout
    assert "report.html" in first.stdout
    assert (tmp_path / "one/report.html").is_file()
    before = (tmp_path / "one/outputs.jsonl").read_bytes()
    started = (tmp_path / "one/attempts.jsonl").read_bytes()
    second = suite(*command, "--json", cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    shown = json.loads(second.stdout)
    assert shown["complete"]
    assert shown["what_was_run"]["command"].startswith("suite eval --task prefeval/classification --mini -P ")
    assert [cell["task"] for cell in shown["cells"]] == ["prefeval/classification"]
    assert (tmp_path / "one/outputs.jsonl").read_bytes() == before
    assert "nothing is left to do" in second.stderr
    assert (tmp_path / "one/attempts.jsonl").read_bytes() == started, "no engine was started for nothing"
    again = suite("score", "one", "--json", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["cells"] == shown["cells"]
    differs = suite(*command, "--seed", "5", cwd=tmp_path)
    assert differs.returncode == 2
    assert "seed (0 there, 5 here)" in differs.stderr


def test_a_baseline_that_guesses_gives_each_letter_equally_often_under_prefill(tmp_path: Path) -> None:
    done = suite("eval", "--task", "prefeval/classification", "--mini", "--model", "scripted/random-option",
                 "--output", "chance", "--quiet", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "chance").glob("scorings/*/scores.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    outputs = map(json.loads, (tmp_path / "chance/outputs.jsonl").read_text().splitlines())
    gold = {row["sample"]: row["tags"]["gold"] for row in outputs}
    picked = Counter(row["values"]["letter"] for row in rows)
    assert picked.total() == 188
    assert sum((picked[one] - 47) ** 2 / 47 for one in "ABCD") < 16.27  # 3 degrees of freedom, p = 0.001
    for place in set(gold.values()):
        right = [row["values"]["correct"] for row in rows if gold[row["sample"]] == place]
        spread = 3.3 * (len(right) * 0.25 * 0.75) ** 0.5
        assert abs(sum(right) - len(right) / 4) < spread, place


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["eval", "--task", "prefeval/clasification"], "did you mean 'prefeval/classification'"),
        ([*BASE, "-P", "inter_trns=3", "--model", "scripted/echo"], "did you mean 'inter_turns'"),
        ([*BASE, "-P", "inter_turns=999", "--model", "scripted/echo"], "exchanges"),
        ([*BASE, "--model", "vlm/x"], "did you mean 'vllm'"),
        ([*BASE], "--model SPEC"),
        ([*BASE, "--modle", "x"], "--model"),
        ([*BASE, "--model", "scripted/echo", "-o", "wods=3"], "words"),
        ([*BASE, "--model", "lexical/bm25"], "has no chat"),
        ([*BASE, "--model", "scripted/echo", "-P", "method"], "name=value"),
        (["score", "nothing-here"], "no run named"),
        (["score", "--outputs", "none.jsonl", "--task", "prefeval/classification"], "no file"),
    ],
)
def test_wrong_input_exits_with_2_and_starts_nothing(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    found = suite(*arguments, cwd=tmp_path)
    assert found.returncode == 2, found.stderr
    assert message in found.stderr
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "runs").exists()


def test_answers_made_elsewhere_are_scored_and_marked(tmp_path: Path) -> None:
    plan = suite(*BASE, "--model", "scripted/echo", "--dry-run", "--json", cwd=tmp_path)
    ids = json.loads(plan.stdout)["cells"][0]["sample_ids"]
    texts = ("noted", "<choice>A</choice>")
    lines = [{"sample_id": one, "text": text, "call": call} for one in ids for call, text in enumerate(texts)]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    scoring = ["score", "--outputs", "answers.jsonl", *BASE[1:], "--json"]
    found = suite(*scoring, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    shown = json.loads(found.stdout)
    manifest = json.loads((tmp_path / shown["run"] / "manifest.json").read_text())
    assert manifest["imported"]
    assert shown["cells"][0]["scored"] == len(ids)
    sweep = suite(*scoring, "-P", "method=zero-shot,remind", cwd=tmp_path)
    assert sweep.returncode == 2
    assert "one cell" in sweep.stderr


async def test_ctrl_c_drains_says_how_to_go_on_and_the_same_command_does(tmp_path: Path) -> None:
    import asyncio

    async with OpenAIServer(lambda _: "<choice>A</choice>", latency_s=0.15) as server:
        command = [
            *BASE[:4],
            "--model",
            "openai/loopback",
            "--concurrency",
            "2",
            "--output",
            "run",
            "-P",
            "inter_turns=0",
        ]
        options = ["-o", f"base_url={server.url}", "--no-cache"]
        process = subprocess.Popen(
            [sys.executable, "-m", "suite", *command, *options],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 60
        while server.requests < 8 and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.to_thread(process.communicate)
        assert process.returncode == 130, err
        assert "stopping: waiting for what is in flight" in err
        pending = re.search(r"(\d+) samples are pending", err)
        assert pending
        assert "the same command continues this run" in err
        assert "report.html" in out
        asked = server.requests
        rest = await asyncio.to_thread(lambda: suite(*command, *options, "--json", cwd=tmp_path))
        assert rest.returncode == 0, rest.stderr
        assert json.loads(rest.stdout)["complete"]
        samples = json.loads(rest.stdout)["cells"][0]["samples"]
        assert server.requests == 2 * samples  # acknowledgement and question, none asked twice
        assert asked < server.requests


def test_why_samples_are_pending_is_told_in_words(tmp_path: Path) -> None:
    """An author sees what went wrong where they look first, not in a journal."""
    model = ["--model", "scripted/fail", "-o", "kind=status-500", "--output", "one"]
    found = suite(*BASE, *model, cwd=tmp_path)
    assert found.returncode == 1
    assert re.search(r"samples are pending \(status-500 \d+\)\n  status-500, for example: \S", found.stderr)
