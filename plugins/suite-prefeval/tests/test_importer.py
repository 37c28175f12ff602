"""Upstream's result files as records."""

import json
from pathlib import Path
from typing import Any

import pytest
from suite_prefeval.importer import locate, read

import suite

ROW = {"preference": "p", "question": "q", "explanation": "e"}
ANALYSIS = {
    "acknow": {"answer": "Yes", "extract_pref": "you like tea"},
    "violate": {"answer": "Yes", "explanation": "coffee"},
    "hallucinate": {"answer": "No", "explanation": "same"},
    "helpful": {"answer": "Yes", "explanation": "specific"},
}


def write(root: Path, place: str, rows: list[Any]) -> Path:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows), "utf-8")
    return path


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (
            "explicit/generation_results/rag_5/shop_home/claude3s_shop_home_8interturn.json",
            ("generation", "explicit", "rag", 5, "shop_home", "claude3s", 8),
        ),
        (
            "implicit/persona/mcq_results/selfcritic/pet_ownership/error_a_b_pet_ownership_0interturn.json",
            ("classification", "implicit-persona", "selfcritic", None, "pet_ownership", "a_b", 0),
        ),
        (
            "SFT/single_pref_remind/shop_motors/mistral8x7b_shop_motors_10turn.json",
            ("generation", "explicit", "remind", None, "shop_motors", "mistral8x7b", 8),
        ),
    ],
)
def test_names_say_what_a_file_holds(tmp_path: Path, place: str, expected: tuple[object, ...]) -> None:
    found = locate(tmp_path / place)
    assert found is not None
    told = (found.task, found.form, found.method, found.rag_k, found.topic, found.model, found.inter_turns)
    assert told == expected


def test_a_judged_file_is_scored_by_both_rules_and_replaces_its_copy(tmp_path: Path) -> None:
    folder = "explicit/generation_results/zero-shot/shop_home"
    answered = {**ROW, "response_to_pref": "ok", "response_to_q": "Drink coffee."}
    unclear = {**ANALYSIS, "helpful": {"answer": "", "explanation": ""}, "violate": {"answer": "No"}}
    rows = [
        {**answered, "evaluation_error_analysis": ANALYSIS},
        {**answered, "evaluation_error_analysis": unclear},
        {**ROW},
    ]
    write(tmp_path, f"{folder}/m_shop_home_8interturn.json", [answered, answered, ROW])
    write(tmp_path, f"{folder}/error_m_shop_home_8interturn.json", rows)
    first, second, third = read(tmp_path)
    assert first["task"] == "prefeval/generation"
    assert (first["sample"], first["model"]) == ("shop_home/0", "m")
    assert (first["parameters"]["inter_turns"], first["parameters"]["paper_turns"]) == (8, 10)
    assert first["output"] == {"text": "Drink coffee.", "finish": "stop"}
    assert first["values"] == {
        "kept": False,
        "unhelpful": False,
        "inconsistency": True,
        "hallucination": False,
        "unaware": False,
        "kept_official": False,
        "answered": True,
    }
    assert [part["id"] for part in first["parts"]] == ["acknowledge", "violate", "hallucinate", "helpful"]
    assert first["parts"][0]["values"] == {
        "yes": True,
        "judge_attempts": 1,
        "judge_unparsed": False,
        "judge_refused": False,
        "judge_truncated": False,
        "judge_retried": False,
        "answer": "Yes",
        "said": "you like tea",
    }
    assert second["parts"][3]["values"]["yes"] == {"unscored": "unparsed"}
    assert second["values"]["kept"] == {"unscored": "unparsed"}
    assert second["values"]["kept_official"] is True
    assert (third["output"], third["values"]) == (None, {})


def test_choices_are_read_even_from_the_folder_upstream_mixes_up(tmp_path: Path) -> None:
    row = {**ROW, "shuffled_options": ["w", "x", "y", "z"], "correct_idx": "C", "choice": "C"}
    rows = [{**row, "response_to_q": "<choice>C</"}, {**row, "choice": None, "response_to_q": "hm"}, row]
    write(tmp_path, "implicit/choice/generation_results/rag_5/shop_home/m_shop_home_3interturn.json", rows)
    records = list(read(tmp_path))
    assert {record["task"] for record in records} == {"prefeval/classification"}
    assert [record["values"]["correct"] for record in records] == [True, False, True]
    assert [record["values"]["unparsed_official"] for record in records] == [False, True, False]
    assert records[0]["tags"] == {"topic": "shop_home", "form": "implicit-choice", "gold": "C"}


@pytest.mark.parametrize(
    ("results", "model", "profile", "prefill"),
    [
        ("generation_results", "llama370b", "llama", None),
        ("generation_results", "gpt-o1", "gpt", None),
        ("mcq_results", "mistral7b", "mistral", True),
        ("mcq_results", "claude3s", "chat", True),
        ("mcq_results", "gpt4o-mini", "chat", False),  # only a fork of upstream's code asks so
    ],
)
def test_the_form_in_which_a_family_was_asked_is_told(
    tmp_path: Path, results: str, model: str, profile: str, prefill: bool | None
) -> None:
    row = {**ROW, "response_to_q": "<choice>A", "choice": "A", "correct_idx": "A"}
    if results == "generation_results":
        row = {**ROW, "response_to_q": "Tea."}
    path = write(tmp_path, f"explicit/{results}/zero-shot/shop_home/{model}_shop_home_8interturn.json", [row])
    (record,) = read(path)
    found = record["parameters"]
    assert (found["profile"], found.get("prefill")) == (profile, prefill)


def test_exports_of_an_import_leave_questions_out_as_those_of_a_run_do(tmp_path: Path) -> None:
    row = {**ROW, "response_to_q": "<choice>A", "choice": "A", "correct_idx": "A"}
    place = "explicit/mcq_results/zero-shot/shop_home/mistral7b_shop_home_8interturn.json"
    run = suite.ExportedRun(suite.import_run("prefeval", write(tmp_path, place, [row]), tmp_path / "run"))
    assert run.withheld == ["prefeval"]
    assert [one.question for one in run.rows()] == [None]


@pytest.mark.parametrize("content", ["{", "{}", "[1]"])
def test_a_broken_file_is_named(tmp_path: Path, content: str) -> None:
    path = write(tmp_path, "explicit/mcq_results/cot/shop_home/m_shop_home_3interturn.json", [])
    path.write_text(content, "utf-8")
    with pytest.raises(suite.DataError, match="m_shop_home_3interturn"):
        list(read(path))


def test_an_analysis_without_a_check_is_named(tmp_path: Path) -> None:
    row = {**ROW, "response_to_q": "x", "evaluation_error_analysis": {"acknow": ANALYSIS["acknow"]}}
    write(tmp_path, "explicit/generation_results/cot/shop_home/m_shop_home_3interturn.json", [row])
    with pytest.raises(suite.DataError, match="item 0"):
        list(read(tmp_path))


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "notes.json", [])
    with pytest.raises(suite.DataError, match="no PrefEval result files"):
        list(read(tmp_path))


def test_the_published_generations_are_read(tmp_path: Path) -> None:
    source = Path(__file__).resolve().parents[3] / "../shared/data/prefeval/outputs"
    if not source.is_dir():
        pytest.skip("the published outputs are not beside this checkout")
    for topic, turns, count in (("pet_ownership", 10, 43), ("travel_hotel", 2, 54)):
        name = f"mistral8x7b_{topic}_{turns}turn.json"
        rows = json.loads((source / name).read_text("utf-8"))
        records = list(read(write(tmp_path, f"single_pref_remind/{topic}/{name}", rows)))
        assert len(records) == count
        assert all(record["output"]["text"] for record in records)
        assert {record["parameters"]["inter_turns"] for record in records} == {turns - 2}
