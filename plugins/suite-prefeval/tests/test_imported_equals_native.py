"""A native run written in upstream's files and imported again has the same numbers and intervals."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import suite_prefeval
from suite_prefeval.letters import Orders, gold_letter, official_letter

import suite

MINI = Path(suite_prefeval.__file__).parent / "mini"
CHECKS = {"acknowledge": "acknow", "violate": "violate", "hallucinate": "hallucinate", "helpful": "helpful"}
JUDGE = f"scripted/{__name__}:judge"


def judge(request: suite.Request, _asking: suite.Asking) -> str:
    """Yes or no by chance, the same for the same request."""
    odd = hashlib.sha256(request.text.encode()).digest()[0] % 2
    return f"<explanation>x</explanation><answer>{'Yes' if odd else 'No'}</answer>"


def run(*arguments: str) -> None:
    assert suite.run_command(*arguments, "--quiet", "--no-cache") == 0


def numbers(folder: Path, scoring: str = "") -> dict[tuple[Any, ...], Any]:
    reader = suite.Run(folder, scoring)
    (cell,) = reader.results.cells
    names = ("value", "low", "high", "n", "unscored", "method", "clusters")
    return {(one.name, json.dumps(one.slice)): [getattr(one, name) for name in names] for one in cell.metrics}


def written(native: Path, root: Path, fields: Any) -> Path:
    """The outputs of a run as upstream's files, with fields(record, text, topic, index)."""
    reader = suite.Run(native)
    rows: dict[str, dict[int, Any]] = {}
    for record in reader.journal.outputs:
        topic, _, index = record.sample.partition("/")
        source = json.loads((MINI / "explicit" / f"{topic}.json").read_text("utf-8"))[int(index)]
        told = fields(record, reader.text(record), topic, int(index))
        rows.setdefault(topic, {})[int(index)] = {**source, **told}
    for topic, found in rows.items():
        path = (
            root
            / topic
            / f"{'error_' if 'evaluation_error_analysis' in found[0] else ''}m_{topic}_0interturn.json"
        )
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps([found[index] for index in sorted(found)]), "utf-8")
    return root


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))


def test_generation_judged_there_or_here(tmp_path: Path) -> None:
    native = tmp_path / "native"
    topics = "topics=" + json.dumps(sorted(path.stem for path in (MINI / "explicit").glob("*.json")))
    run("eval", "--task", "prefeval/generation", "--mini", "-P", topics, "-P", "max_tokens=300",
        "--model", "scripted/words", "--judge", JUDGE, "--output", str(native))  # fmt: skip
    scores = {one.sample: one for one in suite.Run(native).scores()}

    def judged(record: Any, text: str, _topic: str, _index: int) -> dict[str, Any]:
        parts = {CHECKS[part.id]: part.values for part in scores[record.sample].parts}
        analysis = {
            name: {"answer": "Yes" if values["yes"] else "No", "explanation": "", "extract_pref": ""}
            for name, values in parts.items()
        }
        return {"response_to_q": text, "evaluation_error_analysis": analysis}

    place = "explicit/generation_results/zero-shot"
    files = written(native, tmp_path / "judged" / place, judged)
    imported = suite.import_run("prefeval", files, tmp_path / "imported")
    assert numbers(imported) == numbers(native)

    files = written(native, tmp_path / "open" / place, lambda _r, text, *_: {"response_to_q": text})
    opened = suite.import_run("prefeval", files, tmp_path / "opened")
    run("score", str(opened), "--judge", JUDGE)
    (again,) = (name for name in suite.Run(opened).scorings() if name != "imported")
    assert numbers(opened, again) == numbers(native)


def test_choices(tmp_path: Path) -> None:
    native = tmp_path / "native"
    run("eval", "--task", "prefeval/classification", "--mini",
        "-P", "inter_turns=0", "-P", "method=zero-shot", "-P", "max_tokens=5", "-P", "prefill=false",
        "--model", "scripted/random-option?format=<choice>{}</choice>", "--output", str(native))  # fmt: skip

    def chosen(_record: Any, text: str, _topic: str, index: int) -> dict[str, Any]:
        gold = gold_letter(Orders()[index])
        return {"response_to_q": text, "choice": official_letter(text), "correct_idx": gold}

    files = written(native, tmp_path / "files/explicit/mcq_results/zero-shot", chosen)
    assert numbers(suite.import_run("prefeval", files, tmp_path / "imported")) == numbers(native)
