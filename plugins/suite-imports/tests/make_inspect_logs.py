"""Make the logs of inspect-ai that the tests read: run by its own Python, which has inspect-ai installed.

    python make_inspect_logs.py FOLDER [--steady]

Tasks, questions and model are our own. With --steady, what tells the machine or the hour is taken out of the
logs, so that they can be kept.
"""

import json
import re
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import (
    Score,
    accuracy,
    choice,
    grouped,
    match,
    mean,
    model_graded_qa,
    scorer,
    stderr,
)  # fmt: skip
from inspect_ai.solver import Generate, TaskState, generate, multiple_choice, solver

CAPITALS = {"France": "Paris", "Japan": "Tokyo", "Chile": "Santiago", "Kenya": "Nairobi", "Peru": "Lima"}


def answered(name: str, text: str) -> ModelOutput:
    found = ModelOutput.from_content(name, text)
    found.usage = ModelUsage(input_tokens=10, output_tokens=5, total_tokens=15)  # else a tokenizer is fetched
    return found


def answers(name, knows):
    def say(messages, *_):
        text = messages[-1].text
        if "GRADE:" in text:
            return answered(
                name, "It names the capital. GRADE: C" if "Paris" in text else "It does not. GRADE: I"
            )
        if "ANSWER: $LETTER" in text:
            return answered(name, "ANSWER: A" if "Chile" in text else "ANSWER: B")
        return answered(name, next((city for land, city in knows.items() if land in text), "I do not know."))

    return get_model(f"mockllm/{name}", memoize=False, custom_outputs=say)


def asked(land: str, number: int) -> Sample:
    told = {"continent": "Asia" if land == "Japan" else "elsewhere", "pair": f"p{number // 2}"}
    return Sample(
        id=land.lower(), input=f"What is the capital of {land}?", target=CAPITALS[land], metadata=told
    )


QUESTIONS = [asked(land, number) for number, land in enumerate(CAPITALS)]


@task
def capitals() -> Task:
    metrics = [accuracy(), stderr(cluster="pair"), grouped(accuracy(), "continent")]
    return Task(dataset=MemoryDataset(QUESTIONS), solver=generate(), scorer=match(location="any"),
                metrics=metrics, version=2)  # fmt: skip


@task
def chosen() -> Task:
    rows = [
        Sample(input=f"Which is the capital of {land}?", choices=[city, "Oslo", "Cairo"], target="A")
        for land, city in CAPITALS.items()
    ]
    return Task(dataset=MemoryDataset(rows), solver=multiple_choice(), scorer=choice())


@scorer(metrics={"length": [mean(), stderr()], "polite": [accuracy(), stderr()]})
def style():
    async def score(state: TaskState, target) -> Score:
        if "Kenya" in state.input_text:
            return Score.unscored(reason="grader_failed")
        return Score(
            value={"length": len(state.output.completion), "polite": "Paris" in state.output.completion}
        )

    return score


@solver
def fragile(land: str):
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if land in state.input_text:
            raise RuntimeError("the tool broke")
        return await generate(state)

    return solve


@task
def troubled(land: str = "Peru") -> Task:
    judge = model_graded_qa(model=answers("grader", {}))
    return Task(dataset=MemoryDataset(QUESTIONS), solver=fragile(land), scorer=[judge, style()])


def without_times(text: str) -> str:
    """A document without hours, machine and random names."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)", "2026-01-01T00:00:00+00:00", text)
    found = json.loads(text)
    for sample in [*found.get("samples", []), found] if isinstance(found, dict) else []:
        for name in ("events", "timelines", "events_data"):
            sample.pop(name, None)
        if attached := _steady(sample).get("attachments"):
            rest = json.dumps({**_steady(sample), "attachments": {}})
            sample["attachments"] = {mark: text for mark, text in attached.items() if mark in rest}
    return json.dumps(_steady(found), ensure_ascii=False)


def _steady(value):
    if isinstance(value, list):
        return [_steady(one) for one in value]
    if not isinstance(value, dict):
        return 0.0 if isinstance(value, float) and value > 1e6 else value
    seconds = ("total_time", "working_time", "time", "timestamp", "created")
    left = (
        "uuid",
        "revision",
        "task_file",
        "location",
        "traceback",
        "traceback_ansi",
        "viewer",
        "source",
        "grading",
    )
    return {
        name: 0.0 if name in seconds and isinstance(one, float) else _steady(one)
        for name, one in value.items()
        if name not in left
    }


def keep(source: Path, to: Path) -> None:
    """Write a log anew without hours and machine."""
    if source.suffix == ".json":
        to.with_suffix(".json").write_text(without_times(source.read_text("utf-8")) + "\n", "utf-8")
        return
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(to.with_suffix(".eval"), "w") as new:
        for one in old.infolist():
            fresh = zipfile.ZipInfo(one.filename, (2026, 1, 1, 0, 0, 0))
            new.writestr(fresh, without_times(old.read(one).decode()), compress_type=one.compress_type)


def main(folder: Path, *, steady: bool) -> None:
    """Tasks that end well, of two models and as JSON; one with errors and a judge; one that an error ends."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {"display": "none", "log_realtime": False, "score_display": False}
    with tempfile.TemporaryDirectory() as place:
        good, poor = answers("good", CAPITALS), answers("poor", {"France": "Paris"})
        for name, whole, model, more in (
            ("good", capitals(), good, {"epochs": 2}),
            ("poor", capitals(), poor, {"epochs": 2}),
            ("chosen", chosen(), good, {"log_format": "json"}),
            ("troubled", troubled(), good, {"fail_on_error": False, "temperature": 0.5}),
            ("stopped", troubled("Chile"), good, {"max_samples": 1}),
        ):
            [log] = evaluate(whole, model=model, log_dir=place, **{"log_format": "eval", **told, **more})
            source = Path(log.location.removeprefix("file://"))
            if steady:
                keep(source, folder / name)
            else:
                shutil.copy(source, (folder / name).with_suffix(source.suffix))


if __name__ == "__main__":
    main(Path(sys.argv[1]), steady="--steady" in sys.argv)
