"""Make the logs of lm-evaluation-harness that the tests read: run by its own Python, which has lm-eval.

    python make_lm_eval_logs.py FOLDER [--steady]

Tasks, questions and model are our own. With --steady, what tells the machine or the hour is taken out of the
files, so that they can be kept.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

import yaml
from lm_eval import simple_evaluate
from lm_eval.api.model import LM
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager

SUMS = [{"id": n, "question": f"What is {n} + {n + 1}?", "answer": str(2 * n + 1)} for n in range(1, 9)]
SKY = {
    "planets": [("Which planet has rings?", ["Saturn", "Mars"], 0), ("Which is red?", ["Venus", "Mars"], 1),
                ("Which is largest?", ["Jupiter", "Earth"], 0)],
    "moons": [("Whose is Titan?", ["Mars", "Saturn"], 1), ("Whose is Io?", ["Jupiter", "Earth"], 0)],
}  # fmt: skip


class Reckoner(LM):
    """A model that adds small numbers, says too much about large ones, and prefers long words."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def loglikelihood(self, requests, disable_tqdm=False):
        return [(-10.0 / len(one.args[1].strip()), False) for one in requests]

    def loglikelihood_rolling(self, requests, disable_tqdm=False):
        return [-float(len(one.args[0])) for one in requests]

    def generate_until(self, requests, disable_tqdm=False):
        return [
            self._sum(*map(int, re.findall(r"(\d+) \+ (\d+)\?\nA:$", one.args[0])[-1])) for one in requests
        ]

    def _sum(self, a: int, b: int) -> str:
        if a > self._most:
            return "That is hard."
        return f"The answer is {a + b}." if a % 3 else f"I make it {a + b}"


def tasks(place: Path) -> None:
    """Write the tasks and their rows below a folder."""

    def put(name: str, rows: list, **told) -> None:
        (place / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
        data = {
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": f"{name}.jsonl"}},
            "test_split": "test",
        }
        config = {"task": name, **data, "metadata": {"version": 1.0}, **told}
        (place / f"{name}.yaml").write_text(yaml.safe_dump(config), "utf-8")

    def found(name: str, pattern: str) -> dict:
        steps = [{"function": "regex", "regex_pattern": pattern}, {"function": "take_first"}]
        return {"name": name, "filter": steps}

    exact = {"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}
    sums = {
        "doc_to_text": "Q: {{question}}\nA:",
        "doc_to_target": "{{answer}}",
        "output_type": "generate_until",
    }
    put("sums", SUMS, **sums, metric_list=[exact], generation_kwargs={"until": ["\n"]}, num_fewshot=0,
        filter_list=[found("strict-match", r"The answer is (\d+)\."),
                     found("flexible-extract", r"(\d+)")])  # fmt: skip
    put("sums_only", SUMS[:2], **sums, metric_list=[{"metric": "bypass"}])
    put("lengths", SUMS[:4], doc_to_text="", doc_to_target="{{question}}",
        output_type="loglikelihood_rolling", metric_list=[{"metric": "bits_per_byte"}])  # fmt: skip
    for name, rows in SKY.items():
        told = [{"q": q, "choices": choices, "gold": gold} for q, choices, gold in rows]
        put(name, told, doc_to_text="{{q}}", doc_to_choice="{{choices}}", doc_to_target="{{gold}}",
            output_type="multiple_choice",
            metric_list=[{"metric": "acc"}, {"metric": "acc_norm"}])  # fmt: skip
    mean = {"metric": "acc", "aggregation": "mean", "weight_by_size": True}
    group = {"group": "sky", "task": [*SKY], "aggregate_metric_list": [mean], "metadata": {"version": 3.0}}
    (place / "sky.yaml").write_text(yaml.safe_dump(group), "utf-8")


def without_times(text: str) -> str:
    """A document without hours and machine."""
    found = json.loads(text)
    for name in ("date", "pretty_env_info", "git_hash", "upper_git_hash", "total_evaluation_time_seconds",
                 "start_time", "end_time", "transformers_version"):  # fmt: skip
        found.pop(name, None)
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def main(folder: Path, *, steady: bool) -> None:
    """Two models on sums and sky, and what has no value of a sample."""
    folder = folder.absolute()
    with tempfile.TemporaryDirectory() as told:
        place = Path(told)
        tasks(place)
        os.chdir(place)
        manager = TaskManager(include_path=".", include_defaults=False)
        for model, most, names in (("good", 7, ["sums", "sky"]), ("poor", 2, ["sums", "sky"]),
                                   ("odd", 7, ["sums_only", "lengths"])):  # fmt: skip
            tracker = EvaluationTracker(output_path="out")
            tracker.general_config_tracker.log_experiment_args("own", f"model={model}", None, None, False)
            found = simple_evaluate(
                Reckoner(most), model_args={"model": model, "most": most}, tasks=names, task_manager=manager,
                log_samples=True, evaluation_tracker=tracker, bootstrap_iters=100,
            )  # fmt: skip
            samples = found.pop("samples")
            tracker.save_results_aggregated(results=found, samples=samples)
            for name in samples:
                tracker.save_results_samples(task_name=name, samples=samples[name])
        for file in sorted(Path("out").rglob("*.json*")):
            name, text = file.name, file.read_text("utf-8")
            if steady:
                name = re.sub(r"_\d{4}-.*?(?=\.jsonl?$)", "_2026-01-01T00-00-00.000000", name)
                text = without_times(text) if file.suffix == ".json" else text
            to = folder / file.parent.name / name
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), steady="--steady" in sys.argv)
