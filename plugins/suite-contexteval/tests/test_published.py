"""The published analysis, recomputed from records in both published layouts: the worked example again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from suite_contexteval import columns, importer, people, published
from suite_contexteval.cli import contexteval
from suite_contexteval.coding import published as published_reasons
from suite_contexteval.parameters import CodesParameters
from suite_contexteval.reading import contextual, text_id

import suite
from suite.testing import task_data

ONE, TWO = "gpt-4", "gemini-1.5-flash-exp-0827"
JUDGES = published.JUDGE_ORDER[ONE, TWO]
ROWS = {
    "wo_contexts": ["1112T", "2211T", "TTT11", "22222", "1111I", "12TT2"],
    "w_contexts": ["11111", "22211", "1111T", "22221", "22211", "12222"],
}


def row(setting: str, number: int, label: str) -> dict[str, Any]:
    """A record of the repository's form. Query 5 has the text of query 4."""
    order = 1 + number % 2
    slot = {"1": order, "2": 3 - order}.get(label)
    name = "Tie" if slot is None else f"Response {slot}"
    text = "" if label == "I" else f'**output: {{"judgement": "{name}"}}**\n\nJustification: it is short.'
    context = {"context": f"Q: Which? A: number {min(number, 4)}"} if setting == "w_contexts" else {}
    return {
        "query": f"What is number {min(number, 4)}?",
        "candidate_one_response": "a b c" if number < 2 else "a",
        "candidate_two_response": "a b",
        "rand_choice": order,
        "eval_judgement": text,
        **context,
    }


def records() -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    for setting, rows in ROWS.items():
        for place, judge in enumerate(JUDGES):
            yield setting, judge, [row(setting, number, labels[place]) for number, labels in enumerate(rows)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The layout of the repository: one file a judge, pair and setting."""
    for setting, judge, rows in records():
        path = tmp_path / "files" / f"sampled_evals_{setting}_{judge}-judge_{ONE}_vs_{TWO}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    return tmp_path / "files"


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    """The layout of the Hub: all in one file, with the names as columns."""
    path = tmp_path / "all_autorater_judgements.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for setting, judge, rows in records():
            for one in rows:
                names = {"model_1": ONE, "model_2": TWO, "eval_model": judge, "setting": setting}
                file.write(json.dumps({**one, **names, "context": one.get("context")}) + "\n")
    return path


def near(value: float) -> Any:
    return pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("layout", ["folder", "merged"])
def test_the_worked_example_from_records(request: pytest.FixtureRequest, layout: str) -> None:
    found = published.analyse(importer.judged(request.getfixturevalue(layout)))
    x, y = found.cells
    assert (x.setting, y.setting) == ("none", "both")
    assert x.judges == JUDGES
    assert x.queries == 6
    assert x.agreement == near(0.633333)
    assert x.non_tie == near(0.64)
    assert list(x.wins) == [0.5, 0.25, 0.25, 4]
    assert x.randolph == near(0.175)
    assert sum(x.invalid.values()) == 1
    assert x.longer == near(2 / 6)
    assert y.agreement == near(0.766667)
    assert list(y.wins) == [near(1 / 3), near(2 / 3), 0, 6]
    (change,) = found.changes
    assert change.with_ties is not None
    assert list(change.with_ties) == [near(-1.195229), near(0.285591), 5]
    assert change.non_tie is not None
    assert list(change.non_tie) == [near(-1.010950), near(0.338446), 9]
    # ours: majority of the readable votes, ties half: 1, .5, .5, 0, 1, .5 and 1, 0, 1, 0, 0, 0
    assert x.win.value == near(3.5 / 6)
    assert y.win.value == near(2 / 6)
    assert change.win.value == near(-1.5 / 6)
    assert change.win.low is not None
    assert change.win.high is not None
    assert change.win.low < -0.25 < change.win.high
    assert change.changed == near(4 / 6)


def test_a_query_that_a_judge_lacks_is_counted(folder: Path) -> None:
    path = next(folder.glob("sampled_evals_wo_contexts*"))
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:-2]), "utf-8")
    x = published.analyse(importer.judged(folder)).cells[0]
    assert (x.queries, x.incomplete) == (6, 2)
    assert x.agreement == near((0.6 + 0.4 + 0.6 + 1) / 4)


def test_unknown_columns_are_named_and_can_be_given(merged: Path) -> None:
    text = merged.read_text("utf-8").replace('"eval_model"', '"who"')
    merged.write_text(text, "utf-8")
    with pytest.raises(suite.DataError, match=r"(?s)judge.*who.*--column judge=NAME") as error:
        list(importer.judged(merged))
    assert "rand_choice" in str(error.value)
    assert len(list(importer.judged(merged, {"judge": "who"}))) == 60


@pytest.mark.parametrize(
    "change",
    [{"rand_choice": 3}, {"rand_choice": None}, {"setting": "w_ctx"}, {"query": None}, {"eval_judgement": 5}],
)
def test_broken_records(merged: Path, change: dict[str, Any]) -> None:
    first = json.loads(merged.read_text("utf-8").splitlines()[0])
    merged.write_text(json.dumps({**first, **change}) + "\n", "utf-8")
    with pytest.raises(suite.DataError):
        published.analyse(importer.judged(merged))


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(suite.DataError, match="no judgement files"):
        list(importer.read(tmp_path))
    path = tmp_path / "all_autorater_judgements.jsonl"
    path.write_text("", "utf-8")
    with pytest.raises(suite.DataError, match="no judgement"):
        published.analyse(importer.judged(path))
    path.write_text("{torn", "utf-8")
    with pytest.raises(suite.DataError, match="line 1"):
        list(importer.judged(path))


def test_a_judge_that_says_two_things(merged: Path) -> None:
    lines = merged.read_text("utf-8").splitlines(keepends=True)
    merged.write_text("".join([*lines, *lines[:6]]), "utf-8")
    found = published.analyse(importer.judged(merged))  # as further queries of the same text
    assert found.cells[0].incomplete == 6


def test_records_for_a_run(folder: Path) -> None:
    rows = list(importer.read(folder))
    assert len(rows) == 12
    first = next(one for one in rows if one["parameters"]["setting"] == "none")
    assert (first["model"], first["baseline"]) == (ONE, TWO)
    assert first["values"]["agreement_official"] == near(0.6)
    assert first["values"]["win_official"] is True
    assert first["values"]["win"] == 1
    votes = {part["id"]: part["values"]["vote"] for part in first["parts"] if "vote" in part["values"]}
    assert set(votes) == set(JUDGES)
    assert sorted(votes.values()) == ["baseline", "candidate", "candidate", "candidate", "tie"]
    assert len({(one["sample"], one["parameters"]["setting"]) for one in rows}) == 12


def test_the_order_of_judges_and_what_they_saw_are_kept(folder: Path) -> None:
    rows = list(importer.read(folder))
    assert {one["parameters"]["orders"] for one in rows} == {"paper"}
    judges = [[one["judge"] for one in row["output"]["data"]["judges"]] for row in rows]
    assert judges == [list(JUDGES)] * 12


def test_a_judge_that_says_two_things_is_named_and_copies_are_left_out(folder: Path) -> None:
    first = next(folder.glob("sampled_evals_wo_contexts*"))
    copy = folder / "backup" / first.name
    copy.parent.mkdir()
    copy.write_bytes(first.read_bytes())
    note, *rows = importer.read(folder)
    assert note["note"].startswith("left out 1 copies")
    assert len(rows) == 12
    copy.write_text(copy.read_text("utf-8").replace("a b c", "a b d"), "utf-8")
    with pytest.raises(suite.DataError, match="(?s)judges the query .* twice.*line 1 and .*line 1"):
        list(importer.read(folder))


def test_imported_texts_are_read_as_they_stand_even_of_empty_answers(folder: Path) -> None:
    for path in folder.glob("sampled_evals_w_contexts*"):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        said = (
            '{"judgement": "Response 2", "why": "Response 1 is short"}'  # no marker: upstream reads the words
        )
        rows[0] |= {"eval_judgement": said, "candidate_two_response": ""}
        path.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    first = next(one for one in importer.read(folder) if one["parameters"]["setting"] == "both")
    values = first["values"]
    assert (values["win"], values["win_official"], values["agreement_official"]) == (1, True, 1)
    assert {part["values"]["vote_official"] for part in first["parts"]} == {"candidate"}
    both = published.analyse(importer.judged(folder)).cells[1]
    assert (both.setting, both.wins.majorities, both.agreement) == ("both", 6, near(0.766667))


def test_an_imported_run_has_the_same_numbers(folder: Path, tmp_path: Path) -> None:
    suite.import_run("contexteval", folder, tmp_path / "run")
    results = json.loads(next((tmp_path / "run").glob("scorings/*/results.json")).read_text("utf-8"))
    cells = {cell["parameters"]["setting"]: cell["metrics"] for cell in results["cells"]}
    values = {name: {one["name"]: one["value"] for one in rows} for name, rows in cells.items()}
    assert values["none"]["agreement_official"] == near(0.633333)
    assert values["none"]["agreement_nontie_official"] == near(0.64)
    assert values["none"]["win_official"] == 0.5
    assert values["none"]["vote_official_randolph"] == near(0.175)
    assert values["none"]["vote_official_fleiss"] == near(0.163851)
    assert values["both"]["vote_official_fleiss"] == near(0.246862)
    across = {one["result"]["name"]: one["result"]["value"] for one in results["across"]}
    assert across["agreement_p_by_both_contexts_official"] == near(0.285591)
    assert across["nontie_p_by_both_contexts_official"] == near(0.338446)
    assert across["win_change_by_both_contexts"] == near(-1.5 / 6)
    assert across["winner_changed_by_both_contexts"] == near(4 / 6)


DRAWN = [[2, 1, 4, 4, 3, 1], [2, 4, 1, 4, 3, 2]]


def test_contexts_and_reasons_out_of_the_records(merged: Path) -> None:
    data = task_data(given={"contexteval-contexts": merged})
    items = list(contextual(data))
    assert [one.query for one in items] == [f"What is number {number}?" for number in range(5)]
    assert items[2].context == "Q: Which? A: number 2"

    # as the registry's entry: parts, of which `judgements` is none
    autorater = [one.value for one in suite.json_rows(merged)]
    data = task_data(given={"contexteval-judgements": {"autorater": autorater, "human": []}})
    reasons = published_reasons(data, CodesParameters())
    assert len(reasons) == 12
    assert {one.reason for one in reasons} == {"it is short."}
    assert len(published_reasons(data, CodesParameters(sample=3))) == 3
    drawn = published_reasons(data, CodesParameters(protocol="paper"))
    judges = {(one.setting, one.example_id.partition("/")[0]): JUDGES.index(one.judge) for one in drawn}
    ids = [text_id(f"What is number {min(number, 4)}?", 1 + number // 5) for number in range(6)]
    # what upstream's code draws of the same records
    assert [judges["none", name] for name in ids] == DRAWN[0]
    assert [judges["both", name] for name in ids] == DRAWN[1]


def test_the_command(folder: Path) -> None:
    result = CliRunner().invoke(contexteval, ["analyse", str(folder)])
    assert result.exit_code == 0, result.output
    assert "0.6333" in result.output
    assert "NoCtxGen-NoCtxEval" in result.output
    result = CliRunner().invoke(contexteval, ["analyse", str(folder), "--json"])
    assert json.loads(result.output)["cells"][0]["agreement"] == near(0.633333)


def human(item: str, rep: int, setting: str, preferred: str, counts: tuple[int, int]) -> dict[str, Any]:
    shown = [ONE, TWO] if rep % 2 else [TWO, ONE]
    qas = [
        {"qa": f"Q{n}", "satisfied_1": n < counts[0], "satisfied_2": None if n == 2 else n < counts[1]}
        for n in range(3)
    ]
    return {
        "example_id": f"{item}_x_rep{rep}",
        "setting": f"study {setting}",
        "model_1": shown[0],
        "model_2": shown[1],
        "overall_preference": f"Response {1 + shown.index(preferred)}" if preferred else "Equal",
        "follow_up_qas": [] if setting == "gen_wo_ctx_eval_wo_ctx" else qas,
    }


def people_rows() -> list[dict[str, Any]]:
    none, judge = "gen_wo_ctx_eval_wo_ctx", "gen_wo_ctx_eval_w_ctx"
    return [
        *(human("q1", rep, none, ONE if rep < 2 else TWO, (0, 0)) for rep in range(3)),
        *(human("q2", rep, none, ["", ONE, TWO][rep], (0, 0)) for rep in range(3)),
        *(human("q1", rep, judge, ONE, (3, 1)) for rep in range(3)),
        *(human("q2", rep, judge, TWO if rep else "", (1, 1)) for rep in range(3)),
    ]


@pytest.mark.parametrize("as_array", [True, False])
def test_people(tmp_path: Path, as_array: bool) -> None:
    path = tmp_path / "all_human_judgements.jsonl"
    rows = people_rows()
    path.write_text(json.dumps(rows) if as_array else "\n".join(map(json.dumps, rows)), "utf-8")
    found = people.analyse(people.read(path))
    none, judge = found.numbers
    assert none.pair == (ONE, TWO)  # as upstream calls them
    assert none.items == 2
    assert none.annotators == 3
    assert none.agreement == near((2 / 3 + 1 / 3) / 2)
    assert tuple(none.wins) == (1, 0, 0, 1)
    assert judge.agreement == near((1 + 2 / 3) / 2)
    assert tuple(judge.wins) == (0.5, 0.5, 0, 2)
    # q1: 3 - 1 (the null left out) = 2 for each; q2: 1 - 1 = 0; the SD is the population's
    assert found.difference[ONE, TWO] == (near(1.0), near(1.0), 2)
    assert judge.constraint_agreement == near(1)
    assert judge.single == near(1)
    assert none.constraint_agreement is None
    assert ((ONE, TWO), "none", "judge") in found.tests
    result = CliRunner().invoke(contexteval, ["analyse", str(path), "--people"])
    assert result.exit_code == 0, result.output
    assert "single constraints" in result.output
    result = CliRunner().invoke(contexteval, ["analyse", str(path), "--people", "--json"])
    assert json.loads(result.output)["numbers"][0]["items"] == 2


Y, N, U = True, False, None  # yes, no, not said
# item -> for each annotator, what was said of response 1 and of response 2
SAID: dict[str, list[tuple[list[bool | None], list[bool | None]]]] = {
    "q1": [([U, U], [Y, N]), ([Y, N], [N, N]), ([Y, U], [N, U])],
    "q2": [([Y, N], [U, U]), ([U, Y], [U, U]), ([Y, Y], [U, U])],
    "q3": [([Y, Y], [N, N]), ([Y, Y], [U, N]), ([N, Y], [N, N])],
}


def test_what_people_left_out_counts_as_in_upstreams_code() -> None:
    """Vectors of upstream's code of 2025 on the same rows."""
    rows = [
        {
            "example_id": f"{item}_x_rep{place}",
            "setting": "gen_w_ctx_eval_w_ctx",
            "model_1": ONE,
            "model_2": TWO,
            "overall_preference": None if item == "q2" else f"Response {1 + place // 2}",
            "follow_up_qas": [{"satisfied_1": x, "satisfied_2": y} for x, y in zip(*said, strict=True)],
        }
        for item, annotators in SAID.items()
        for place, said in enumerate(annotators)
    ]
    found = people.analyse(people.HumanRow.model_validate(row) for row in rows)
    # q1: an annotator without a word on response 1 is left out: 1, 1; q2: nobody is left; q3: 2, 2, 1
    assert found.difference[ONE, TWO] == (near(4 / 3), near(1 / 3), 2)
    (numbers,) = found.numbers
    assert numbers.constraint_agreement == near(2 / 3)
    assert numbers.single == near((2 / 3 + 2 / 3 + 1 / 3 + 2 / 3 + 2 / 3 + 2 / 3 + 1 + 1) / 8)
    assert list(numbers.wins) == [near(2 / 3), 0, near(1 / 3), 3]


def test_paired_tests_of_people_are_upstreams_and_ours() -> None:
    rows = people_rows()
    before, after = rows[:6], rows[6:]
    turned = people.analyse(map(people.HumanRow.model_validate, [*before, *after[3:], *after[:3]]))
    straight = people.analyse(map(people.HumanRow.model_validate, rows))
    own, other = (one.tests[(ONE, TWO), "none", "judge"] for one in (straight, turned))
    assert own.by_query == other.by_query
    assert own.with_ties == own.by_query
    assert own.with_ties != other.with_ties  # upstream pairs what stands at the same place
    fewer = people.analyse(map(people.HumanRow.model_validate, rows[3:]))
    assert fewer.tests[(ONE, TWO), "none", "judge"].with_ties is None


def test_broken_people(tmp_path: Path) -> None:
    path = tmp_path / "people.jsonl"
    for text, problem in (("[{}]", "element 1"), ("{", "JSON"), ("[]", "no judgement")):
        path.write_text(text, "utf-8")
        with pytest.raises(suite.DataError, match=problem):
            people.analyse(people.read(path))


def test_settings_by_their_names() -> None:
    for names in (
        ("gen_wo_ctx_eval_wo_ctx", "wo_contexts", "NoCtxGen-NoCtxEval", "sampled_evals_wo_contexts_"),
        ("gen_wo_ctx_eval_w_ctx", "gen_wo_contexts_eval_w_contexts", "NoCtxGen-CtxEval"),
        ("gen_w_ctx_eval_w_ctx", "w_contexts", "CtxGen-CtxEval"),
    ):
        assert len({columns.setting_of(name) for name in names}) == 1
    with pytest.raises(suite.DataError):
        columns.setting_of("gen_w_ctx_eval_wo_ctx")
