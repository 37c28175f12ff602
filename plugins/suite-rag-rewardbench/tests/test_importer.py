"""Score files in the forms RewardBench writes, made by hand."""

import json
from pathlib import Path
from typing import Any

import pytest
from suite_rag_rewardbench import formulas
from suite_rag_rewardbench.importer import read, sums

import suite
from suite.testing import Solved, metrics_of


def put(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = value if isinstance(value, str) else json.dumps(value)
    path.write_text(text, "utf-8")
    return path


def test_columns_of_pairs(tmp_path: Path) -> None:
    columns = {
        "subset": ["hep-go", "hep-go", "math-prm", "shp"],
        "id": [4, 5, 6, 0],
        "results": [1, 0, 0, 1],
        "scores_chosen": [[2.5], 1.0, float("nan"), 3.0],
        "scores_rejected": [[1.5], 1.0, 1.0, 2.0],
        "model": "org/rm",
        "model_type": "Seq. Classifier",
    }
    note, *records = read(put(tmp_path / "eval-set-scores/org/rm.json", columns))
    assert note == {"note": "rm.json holds no prompts: pairs of one prompt are taken as independent"}
    assert [one["sample"] for one in records] == [
        "hep-go/00000",
        "hep-go/00001",
        "math-prm/00002",
        "shp/00000",
    ]
    assert {one["model"] for one in records} == {"org/rm"}
    assert [one["values"]["correct"] for one in records] == [1.0, 0.0, {"unscored": "not-finite"}, 1.0]
    assert [one["values"]["correct_official"] for one in records] == [1.0, 0.0, 0.0, 1.0]
    assert [one["values"]["tie"] for one in records] == [False, True, None, False]
    assert records[0]["values"]["margin"] == 1.0
    assert records[0]["output"]["data"]["scores"] == [2.5, 1.5]
    assert [one["tags"]["section"] for one in records] == ["Reasoning"] * 3 + ["Prior Sets"]
    assert {one["parameters"]["prior_sets"] for one in records} == {True}


def test_a_file_becomes_a_run_that_sums_as_upstream_does(tmp_path: Path) -> None:
    subsets = list(formulas.SECTION_OF)
    columns = {
        "subset": subsets,
        "results": [1] * len(subsets),
        "scores_chosen": [float(one != "math-prm") for one in subsets],
        "scores_rejected": [0.5] * len(subsets),
        "model": "org/rm",
    }
    folder = suite.import_run("reward-bench", put(tmp_path / "rm.json", columns), tmp_path / "run")
    results = suite.Run(folder).results
    (cell,) = results.cells
    found = {one.name: one.value for one in cell.metrics if not one.slice}
    assert (found["reasoning"], found["chat"], found["overall_sections"]) == (0.5, 1.0, 0.875)
    assert results.imported is True


def test_lines_of_a_judge(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"subset": "donotanswer", "results": one}) + "\n" for one in (1, 0.5, 0))
    _, *records = read(put(tmp_path / "judge_outputs.jsonl", lines))
    assert {one["model"] for one in records} == {"judge"}
    assert [one["values"]["correct"] for one in records] == [1.0, {"unscored": "unparsed"}, 0.0]
    assert [one["values"]["correct_official"] for one in records] == [1.0, 0.5, 0.0]


def test_columns_of_version_2_and_the_values_are_the_tasks_own(tmp_path: Path) -> None:
    from suite_rag_rewardbench.parameters import V2Parameters
    from suite_rag_rewardbench.v2 import RewardBench2

    columns = {
        "subset": ["Math", "ties", "ties"],
        "id": ["0", "ref:1", "tied:1"],
        "num_correct": [1, 1, 2],
        "scores": [[[2.0], [2.0], [1.0], [0.0]], [6.0, 1.0], [5.0, 4.0, 1.0]],
        "results": [0.5, None, None],
        "model": "org/rm",
    }
    records = list(read(put(tmp_path / "rm.json", columns)))
    assert records[0]["values"]["correct"] == 0.5
    assert records[2]["values"] | {"tie": None} == records[2]["values"]
    done = [
        Solved(
            suite.Sample(one["sample"], None, cluster=one["sample"][:4], tags=one["tags"]),
            suite.Output(),
            suite.Score(one["values"]),
        )
        for one in records
    ]
    found = metrics_of(RewardBench2(V2Parameters()), done)
    ties = 1.0 + 0.01 * 0.9640275800758169
    assert found["ties"] == pytest.approx(ties)
    assert found["overall"] == pytest.approx((0.5 + ties) / 2)


def test_accuracies_by_subset_are_no_run_but_their_sums_are_told(tmp_path: Path) -> None:
    flat: dict[str, Any] = dict.fromkeys(formulas.SECTION_OF, 0.5)
    flat |= {"hep-rust": 1.0, "model": "org/rm", "model_type": "DPO", "chat_template": "tokenizer"}
    with pytest.raises(suite.DataError, match=r"Reasoning 0\.5417.*overall_sections 0\.5104"):
        list(read(put(tmp_path / "rm.json", flat)))
    domains = dict(zip(formulas.DOMAINS, (0.743, 0.444, 0.617, 0.896, 0.907, 0.764), strict=True))
    assert sums(domains)["overall"] == pytest.approx(0.7285, abs=1e-4)  # a published row: 72.8


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "[", "not JSON"),
        ("a.json", "[1]", "not an object of columns"),
        ("a.json", '{"x": [1]}', "no column `subset`"),
        ("a.jsonl", '{"x": 1}\n', "no rows with `results`"),
        (
            "a.json",
            '{"subset": ["Math"], "scores": [["x"]], "num_correct": [1], "id": ["0"]}',
            "row 0 is not",
        ),
        ("a.json", '{"subset": ["shp"], "results": [null]}', "row 0 is not"),
        ("a.txt", "", "no RewardBench score files"),
    ],
)
def test_what_is_no_score_file_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    put(tmp_path / name, text)
    with pytest.raises(suite.DataError, match=message):
        list(read(tmp_path))


def test_copies_are_left_out_and_other_scores_of_a_sample_are_refused(tmp_path: Path) -> None:
    rows = [{"prompt": f"q{i}", "subset": "donotanswer", "results": i % 2} for i in range(4)]
    lines = "".join(json.dumps(one) + "\n" for one in rows)
    put(tmp_path / "in/new/m_outputs.jsonl", lines)
    put(tmp_path / "in/old/m_outputs.jsonl", lines)
    said: list[str] = []
    folder = suite.import_run("reward-bench", tmp_path / "in", tmp_path / "run", say=said.append)
    assert len((folder / "outputs.jsonl").read_text().splitlines()) == 4
    assert said == [f"left out 1 copies of other files, the first is {tmp_path}/in/old/m_outputs.jsonl"]
    put(tmp_path / "in/old/m_outputs.jsonl", lines.replace('"results": 1', '"results": 0', 1))
    with pytest.raises(suite.DataError, match=r"sample .*donotanswer/00000.* is given twice\n"
                       r"  in new/m_outputs\.jsonl, row 0 and in old/m_outputs\.jsonl, row 0"):  # fmt: skip
        suite.import_run("reward-bench", tmp_path / "in", tmp_path / "other")
