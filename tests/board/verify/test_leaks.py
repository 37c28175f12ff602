"""Answers that hold what no candidate is shown are found; who repeats its own request is not accused."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import good_bundles
import pytest
import small_tasks
from msgspec.structs import replace

import suite
from suite.board.bundle.rungs import Findings, RungFinding
from suite.board.define.parts import DEFAULTS
from suite.board.verify import verify
from suite.board.verify.plausibility import check_hardware, memory_gib
from suite.board.verify.plausibility.replies import check_replies
from suite.board.verify.plausibility.rules import OddRules
from suite.board.verify.subject import VerifiedRun
from suite.chat import Reply, Request, Usage
from suite.journal.run import Run
from suite.models.engine import Asking

REFERENCE = "the {word} stands behind the old mill and nobody has moved it since the great flood"


class Recall(small_tasks.Many):
    """Sixty samples with a reference answer each; under `polite` the request shows it."""

    words = 60

    async def solve(self, sample: Any, models: suite.Models) -> suite.Output:
        known = REFERENCE.format(word=sample.payload.word) if self.parameters.style == "polite" else ""
        reply = await models.candidate.chat([suite.user(f"Where is {sample.payload.word}? {known}")])
        return suite.Output(reply.text, finish=reply.finish)

    def references(self, sample: Any) -> Iterable[str]:
        return (REFERENCE.format(word=sample.payload.word), "too short")


def recalled(folder: Path, share: int, style: str) -> list[RungFinding]:
    """What R9 finds of replies of which every `share`-th holds the reference, among other words."""

    def answer(request: Request, asking: Asking) -> Reply:
        word = str(request.messages[-1].content).split()[2].rstrip("?")
        told = f"I think: {REFERENCE.format(word=word).upper()}!"
        text = told if int(word.removeprefix("word")) % share == 0 else f"I never saw {word} anywhere."
        return Reply(text, usage=Usage(8, len(text) // 4), model="m")

    plan = small_tasks.plan_of({"candidate": "scripted/echo"}, small_tasks.cells(Recall, {"style": style}))
    small_tasks.scripted(answer, plan)
    outcome = asyncio.run(small_tasks.run(plan, folder))
    assert outcome.exit_code == 0
    findings = Findings()
    subject = VerifiedRun("r", Run(folder, outcome.scoring), findings, plan=plan)
    check_replies(subject, OddRules(DEFAULTS, subject.findings), 0.0)
    return [one for one in findings if one.code == "R9.references"]


def test_references_that_nobody_showed_are_found(tmp_path: Path) -> None:
    (found,) = recalled(tmp_path / "run", 4, "plain")
    assert found.severity == "warning"
    assert found.found == "15 of 60"
    assert found.expected == "at most 10%"


def test_a_reference_now_and_then_or_one_that_was_shown_is_none(tmp_path: Path) -> None:
    assert recalled(tmp_path / "few", 12, "plain") == []  # 5 of 60
    assert recalled(tmp_path / "shown", 1, "polite") == []


@pytest.mark.parametrize(
    "said",
    [
        "\n<answer>No</answer>",
        " decide whether THE REPLY shows that the assistant has some preference of the user in mind",
    ],
    ids=["form", "wording"],
)
def test_the_judges_words_are_found(said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = good_bundles.answer

    def pandering(request: Request, asking: Asking) -> Reply:
        reply = usual(request, asking)
        if asking.member != "candidate" or int(asking.call[:2], 16) % 3:
            return reply
        text = reply.text + said
        return Reply(text, usage=Usage(reply.usage.prompt, len(text) // 4), model=reply.model)

    monkeypatch.setattr(good_bundles, "answer", pandering)
    recipe = good_bundles.RECIPES["judged"]
    run = good_bundles.run(recipe, tmp_path / "run")
    found = verify(good_bundles.bundle([run], None, tmp_path / "bundle")).findings
    (one,) = (one for one in found if one.code == "R9.judges-words")
    assert one.severity == "warning"
    held, _, outputs = one.found.partition(" of ")
    assert 0.1 < int(held) / int(outputs) < 0.5


def test_an_honest_bundle_has_none(good: Callable[..., Any]) -> None:
    for name in ("judged", "pairs", "dialogue"):
        codes = {one.code for one in verify(good(name)[0]).findings}
        assert not codes & {"R9.judges-words", "R9.references", "R9.memory"}


def test_weights_that_no_memory_holds(good: Callable[..., Any]) -> None:
    """A model of 400 billion parameters never ran on a laptop; one of 8 billion may have."""
    folder = good("choice")[0]
    (run,) = (folder / "runs").iterdir()
    made = Run(run)
    candidate_of_it = made.candidate
    assert candidate_of_it is not None

    def told(
        parameters: int | None, gpus: list[str], main: float | None, **candidate: Any
    ) -> list[RungFinding]:
        findings = Findings()
        seat = replace(candidate_of_it, **{"spec": "vllm/org/model", "identity": {}, **candidate})
        machine = replace(made.manifest.hardware, gpus=gpus, memory_gib=main)
        made.manifest = replace(made.manifest, roles={"candidate": [seat]}, hardware=machine)
        subject = VerifiedRun(run.name, made, findings)
        check_hardware(subject, OddRules(DEFAULTS, subject.findings), parameters)
        return list(findings)

    laptop = ["NVIDIA GeForce RTX 4090 Laptop GPU, 16376 MiB"]
    (one,) = told(400 * 10**9, laptop, 32.0)
    assert one.code == "R9.memory"
    assert one.severity == "warning"
    assert one.found.startswith("48.0 GiB")
    assert told(8 * 10**9, laptop, 32.0) == []
    assert told(400 * 10**9, ["NVIDIA H200, 143771 MiB"] * 8, 1000.0) == []
    assert told(None, laptop, 32.0) == []
    assert told(400 * 10**9, laptop, None) == []
    assert told(400 * 10**9, ["a GPU"], 32.0) == []
    assert told(400 * 10**9, laptop, 32.0, identity={"url": "http://elsewhere"}) == []
    assert told(400 * 10**9, laptop, 32.0, spec="openai/big") == []
    ray = {"options": {"distributed_executor_backend": "ray"}}
    assert told(400 * 10**9, laptop, 32.0, identity=ray) == []
    assert memory_gib(replace(made.manifest.hardware, memory_gib=8.0, gpus=[])) == 8.0
