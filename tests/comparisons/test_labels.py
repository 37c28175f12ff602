"""Labels of people: what is drawn, what the page holds and hides, what comes back, what is refused."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from labelling import HOSTILE, TASK, judged_run, said

import suite
from suite.cli.judge import judge as command
from suite.cli.main import run as main
from suite.comparisons.correction import as_data, correct_runs, sections
from suite.comparisons.label_choice import LabelDraw, LabelsWanted, draw
from suite.comparisons.label_files import PeopleLabels, read_labels_files
from suite.comparisons.label_page import label_page
from suite.comparisons.runs import open_runs
from suite.errors import ConfigError, DataError, NotFound


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("labels")
    return [str(judged_run(folder)), str(judged_run(folder, "Short"))]


def drawn(runs: list[str], **wanted: Any) -> LabelDraw:
    return draw(open_runs(runs), LabelsWanted(**{"n": 24, **wanted}))


def written(tmp_path: Path, *files: dict[str, Any]) -> list[Path]:
    paths = [tmp_path / f"{number}.json" for number, _ in enumerate(files)]
    for path, one in zip(paths, files, strict=True):
        path.write_text(json.dumps(one), "utf-8")
    return paths


def read(runs: list[str], tmp_path: Path, *files: dict[str, Any]) -> PeopleLabels:
    return read_labels_files(runs, written(tmp_path, *files))


@pytest.fixture(scope="module")
def page(runs: list[str]) -> str:
    return "".join(label_page(drawn(runs[:1])))


def test_every_verdict_of_every_cell_is_drawn_and_the_same_when_drawn_again(runs: list[str]) -> None:
    first, again, other = drawn(runs), drawn(runs), drawn(runs, seed=1)
    assert (first.items, first.page) == (again.items, again.page)
    assert first.page != other.page
    verdicts = Counter((first.units[one.unit].run, first.units[one.unit].judge) for one in first.items)
    assert set(verdicts) == {(run, judge) for run in (0, 1) for judge in (0.0, 1.0, None)}
    assert min(verdicts.values()) >= 2
    assert sum(verdicts.values()) == 24


def test_half_of_the_pairs_are_swapped_and_twice_puts_each_in_both_orders(runs: list[str]) -> None:
    once, twice = drawn(runs[:1], value="win"), drawn(runs[:1], value="win", twice=True)
    assert abs(sum(one.swapped for one in once.items) - 12) <= 2
    assert Counter(one.unit for one in twice.items).most_common()[-1][1] == 2
    assert {one.swapped for one in twice.items} == {True, False}
    assert len({one.unit for one in twice.items[:24]}) == 24


def test_the_page_is_blind_and_no_text_in_it_is_markup(runs: list[str], page: str) -> None:
    data = page.partition('id="label-data">')[2].partition("</script>")[0]
    for telling in ("scripted", "run-0", "verdict", "no-verdict", '"s1"', "topic"):
        assert telling not in data
    assert page.count("</script>") == 2
    assert "\x1b" not in page
    assert "document.title='owned'" in data  # shown, as text
    assert "<b>" not in data
    one = json.loads(data)["items"][0]
    assert set(one) == {"id", "blocks", "answers"}
    assert [block["title"] for block in one["blocks"]] == ["Question", "Answer", "Answer"]


def test_the_answers_of_a_pair_stand_apart_and_in_either_order(runs: list[str]) -> None:
    text = "".join(label_page(drawn(runs[1:], value="win")))
    items = json.loads(text.partition('id="label-data">')[2].partition("</script>")[0])["items"]
    assert {tuple(block["title"] for block in one["blocks"]) for one in items} == {("Question",)}
    assert {one["answers"].index("Short") for one in items} == {0, 1}


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        ({"value": "length"}, ConfigError, "whose scale has ends"),
        ({"value": "formula"}, ConfigError, "no mean over samples"),
        ({"value": "kep"}, NotFound, "did you mean 'kept'"),
        ({"task": "other"}, ConfigError, "no judge scores other"),
        ({"n": 4}, ConfigError, "4 labels are too few: 3 strata"),
    ],
)
def test_what_cannot_be_labelled_is_refused(runs: list[str], wanted: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        drawn(runs[:1], **wanted)


def test_a_run_without_a_judge_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "plain.py"
    file.write_text(TASK_WITHOUT_JUDGE)
    (tmp_path / "rows.jsonl").write_text('{"id": "a", "text": "?"}\n')
    suite.evaluate(str(file), model="scripted/constant", output=tmp_path / "run", cache=False)
    with pytest.raises(ConfigError, match="no judge scores plain: there is no verdict to check"):
        drawn([str(tmp_path / "run")])


TASK_WITHOUT_JUDGE = """
import suite

class Plain(suite.Task):
    info = suite.TaskInfo("plain", 1, "A title", headline="right", rows={"rows": "rows.jsonl"})
    metrics = (suite.Rate("right"),)

    def samples(self, data):
        return (suite.Sample(row["id"], row) for row in data.rows("rows", dict))

    async def solve(self, sample, models):
        return suite.Output("yes")

    async def score(self, sample, output, models):
        return suite.Score({"right": True})
"""


def test_people_who_agree_with_the_judge_leave_its_number(runs: list[str], tmp_path: Path, page: str) -> None:
    found = drawn(runs[:1])
    verdicts = [found.units[one.unit].judge for one in found.items]
    labels = ["unsure" if one is None else ("no", "yes")[int(one)] for one in verdicts]
    unscored = [number for number, one in enumerate(verdicts) if one is None]
    labels[unscored[0]] = labels[unscored[1]] = "yes"
    number = correct_runs(read(runs[:1], tmp_path, said(page, "Ann", labels.__getitem__))).find
    # unscored samples count as yes; topics weigh alike
    kept = [(one.group, 1.0 if one.judge is None else one.judge) for one in found.units]
    means = [sum(y for g, y in kept if g == group) / sum(g == group for g, _ in kept) for group in "ab"]
    assert number("corrected").value == pytest.approx(sum(means) / 2, abs=0.01)
    assert number("corrected").low < number("corrected").value < number("corrected").high
    assert number("judge alone").value == pytest.approx(
        suite.load(runs[0]).results.cells[0].headline_row.value
    )
    assert {number(name).value for name in ("agreement", "sensitivity", "specificity")} == {1.0}


def test_people_who_disagree_count_as_their_majority_and_their_agreement_is_told(
    runs: list[str], tmp_path: Path, page: str
) -> None:
    yes, no = said(page, "Ann", lambda _: "yes"), said(page, "Ben", lambda _: "no")
    two = correct_runs(read(runs[:1], tmp_path, yes, no))
    assert two.find("corrected").value == pytest.approx(0.5)
    assert two.find("same label").value == 0.0
    three = correct_runs(read(runs[:1], tmp_path, yes, no, said(page, "Cleo", lambda _: "yes")))
    assert three.find("corrected").value == pytest.approx(1.0)
    assert [three.find("labelled", name).value for name in ("Ann", "Ben", "Cleo")] == [24, 24, 24]


def test_one_person_is_said_to_be_one_and_who_cannot_tell_says_nothing(
    runs: list[str], tmp_path: Path, page: str
) -> None:
    found = correct_runs(read(runs[:1], tmp_path, said(page, "Ann", lambda i: "unsure" if i < 3 else "yes")))
    assert (found.find("labelled", "Ann").value, found.find("cannot tell", "Ann").value) == (24, 3)
    assert any("One person labelled" in one for one in found.remarks)
    nobody = correct_runs(read(runs[:1], tmp_path, said(page, "Ann", lambda _: "unsure"))).find("corrected")
    assert (nobody.value, nobody.note) == (None, "a stratum has no label")


def test_two_runs_have_a_corrected_difference(runs: list[str], tmp_path: Path) -> None:
    both = drawn(runs, n=40)
    better = [("no", "yes")[both.units[one.unit].run] for one in both.items]
    file = said("".join(label_page(both)), "Ann", better.__getitem__)
    found = correct_runs(read(runs[::-1], tmp_path, file))
    corrected = [one.estimate.value for one in found.estimates if one.what == "corrected"]
    assert corrected == [pytest.approx(0.0), pytest.approx(1.0)]
    assert found.find("difference").value == pytest.approx(-1.0)


def test_a_pair_put_twice_is_one_label_and_its_consistency_is_told(runs: list[str], tmp_path: Path) -> None:
    twice = drawn(runs[:1], value="win", twice=True)
    page = "".join(label_page(twice))
    slot = correct_runs(read(runs[:1], tmp_path, said(page, "Ann", lambda _: "first")))
    assert slot.find("corrected").value == pytest.approx(0.5)
    assert "Of 24 pairs put twice to a person, in both orders, 0 were judged alike." in slot.remarks
    sides = ["second" if one.swapped else "first" for one in twice.items]
    same = correct_runs(read(runs[:1], tmp_path, said(page, "Ann", sides.__getitem__)))
    assert same.find("corrected").value == pytest.approx(1.0)


def test_grades_are_corrected_on_their_scale(runs: list[str], tmp_path: Path) -> None:
    grades = drawn(runs[:1], value="grade")
    given = [min(5.0, (grades.units[one.unit].judge or 0) + 0.5) for one in grades.items]
    found = correct_runs(
        read(runs[:1], tmp_path, said("".join(label_page(grades)), "Ann", given.__getitem__))
    )
    judge, corrected = found.find("judge alone").value, found.find("corrected").value
    assert judge < corrected <= judge + 0.5
    assert not any(one.what in {"agreement", "sensitivity"} for one in found.estimates)
    assert found.find("closeness").value == pytest.approx(0.9, abs=0.02)


def edited(file: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**file, **changes}


def test_files_that_are_not_of_this_page_are_refused(runs: list[str], tmp_path: Path, page: str) -> None:
    file = said(page, "Ann")
    first = file["labels"][0]
    for wrong, words in (
        (edited(file, runs=[["0" * 12, "x"]]), "labels samples of other runs"),
        (edited(file, runs=[[file["runs"][0][0], "x"]]), "labels scoring 'x' of run-0, not"),
        (edited(file, page="0" * 16), "is of another page"),
        (edited(file, asked={**file["asked"], "seed": 9}), "is of another page"),
        (edited(file, labels=[{**first, "id": "0" * 12}]), "which is no sample of its page"),
        (edited(file, labels=[first, first]), "is given twice"),
        (edited(file, labels=[{**first, "label": "first"}]), "'first' is no label of kept"),
        (edited(file, labels=[{**first, "label": 7}]), "is no label of kept"),
        (edited(file, person=" \t"), "does not say who labelled"),
        (edited(file, format="suite-labels/9"), "no file of a labelling page"),
        ({"labels": []}, "no file of a labelling page"),
    ):
        with pytest.raises(DataError, match=words):
            read(runs[:1], tmp_path, wrong)
    with pytest.raises(DataError, match="labels samples of other runs"):
        read(runs, tmp_path, file)
    with pytest.raises(DataError, match="a labels file of 'ann' is given twice"):
        read(runs[:1], tmp_path, file, said(page, "ANN "))


def test_a_file_cut_short_or_too_large_is_refused_by_the_command(
    runs: list[str], tmp_path: Path, page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cut.json"
    path.write_text(json.dumps(said(page, "Ann"))[:-20])
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(50_000_001)
    for one, words in ((path, "cut.json: "), (large, "more than 50 MB")):
        assert main(["judge", "correct", runs[0], "--labels", str(one)]) == 2
        assert words in capsys.readouterr().err


def test_the_commands_write_a_page_and_take_several_files(runs: list[str], tmp_path: Path) -> None:
    target = tmp_path / "new" / "labels.html"
    made = CliRunner().invoke(command, ["label", runs[0], "--n", "24", "-O", str(target)])
    assert made.exit_code == 0, made.output
    page = target.read_text("utf-8")
    ann = said(page, f"Ann {HOSTILE[:40]}")
    ann["labels"][0]["comment"] = "<script>owned</script> \x1b[2J"
    ann["labels"][1] |= {"label": None, "comment": "no label"}
    files = written(tmp_path, ann, said(page, "Ben", lambda _: "yes"))
    html = tmp_path / "c.html"
    arguments = ["correct", runs[0], "--labels", str(files[0]), str(files[1]), "--html", str(html)]
    found = CliRunner().invoke(command, [*arguments, "--markdown", str(tmp_path / "c.md")])
    assert found.exit_code == 0, found.output
    assert "corrected for the judge" in found.output
    assert "\x1b" not in found.output
    assert "<script>owned" not in html.read_text()
    assert "no label" in html.read_text()
    data = json.loads(CliRunner().invoke(command, [*arguments[:5], "--json"]).output)
    labels = [one["value"] for one in data["estimates"] if one["what"] == "labels used"]
    assert (data["format"], labels) == ("suite-corrected/2", [24])
    assert len(data["comments"]) == 2


def test_the_sections_say_what_to_do_next(runs: list[str], tmp_path: Path, page: str) -> None:
    found = correct_runs(read(runs[:1], tmp_path, said(page, "Ann")))
    texts = [getattr(block, "text", "") for one in sections(found) for block in one.blocks]
    assert any("halve the interval" in one for one in texts)
    json.dumps(as_data(found), allow_nan=False)


def test_a_judge_is_audited_on_the_pairs_that_people_labelled(
    runs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "judged.py").write_text(TASK, "utf-8")  # wherever it was: it is found here, by its name
    pairs = drawn(runs[1:], value="win")
    firsts = ["second" if one.swapped else "first" for one in pairs.items]
    (path,) = written(tmp_path, said("".join(label_page(pairs)), "Ann", firsts.__getitem__))
    arguments = [
        "audit", runs[1], "--judge", "scripted/constant", "-o", "text=Choose 1", "--limit", "2",
        "--labels", str(path), "--output", "audit", "--json",
    ]  # fmt: skip
    found = CliRunner().invoke(command, arguments)
    assert found.exit_code == 0, found.output
    row = json.loads(path.with_suffix(".pairs.jsonl").read_text("utf-8").splitlines()[0])
    assert (row["first"], row["human"]) == ("Short", "first")
    assert "judge-audit/labels" in {cell["task"] for cell in json.loads(found.output)["cells"]}
    (flags,) = written(tmp_path, said("".join(label_page(drawn(runs[1:]))), "Ann"))
    refused = CliRunner().invoke(
        command, ["audit", runs[1], "--judge", "scripted/constant", "--labels", str(flags)]
    )
    assert "kept is no verdict of pairs" in str(refused.exception)


def test_files_of_one_name_in_two_folders_are_both_read(runs: list[str], tmp_path: Path, page: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    both = [*written(tmp_path / "a", said(page, "Ann")), *written(tmp_path / "b", said(page, "Ben"))]
    assert set(read_labels_files(runs[:1], both).people) == {"Ann", "Ben"}


def test_a_file_that_asks_for_a_huge_page_does_not_hang(runs: list[str], tmp_path: Path, page: str) -> None:
    file = said(page, "Ann")
    with pytest.raises(DataError, match="is of another page"):
        read(runs[:1], tmp_path, edited(file, asked={**file["asked"], "n": 10**15}))


def test_only_pairs_are_put_twice(runs: list[str]) -> None:
    with pytest.raises(ConfigError, match="kept is no verdict of pairs"):
        list(label_page(drawn(runs[:1], twice=True)))


def test_half_a_character_in_a_comment_is_shown_as_such(runs: list[str], tmp_path: Path, page: str) -> None:
    file, comment = said(page, "Ann"), "\ud83d \\ud83d \U0001f600 \ude00"
    file["labels"][0]["comment"] = comment
    ((_, _, kept),) = read(runs[:1], tmp_path, file).comments
    assert kept == "\ufffd \\ud83d \U0001f600 \ufffd"


def test_another_page_is_replaced_only_where_that_is_asked_for(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "labels.html"
    arguments = ["judge", "label", runs[0], "--n", "24", "-O", str(target)]
    assert [main(arguments), main(arguments)] == [0, 0]
    page = target.read_text("utf-8")
    assert main([*arguments, "--seed", "1"]) == 2
    assert "is there already, and is another file" in capsys.readouterr().err
    assert target.read_text("utf-8") == page
    assert main([*arguments, "--seed", "1", "--force"]) == 0
    assert target.read_text("utf-8") != page


def test_runs_of_one_model_are_called_by_their_folders(tmp_path: Path, runs: list[str]) -> None:
    places = []
    for name in ("a/r", "b/r", "b/s"):
        places.append(str(tmp_path / name))
        shutil.copytree(runs[0], places[-1])
    assert [one.label for one in open_runs(places[1:])] == ["r", "s"]
    assert [one.label for one in open_runs(places[:2])] == ["a/r", "b/r"]


def test_a_judge_agrees_with_people_only_where_it_gives_the_same_verdict(
    runs: list[str], tmp_path: Path
) -> None:
    pairs = drawn(runs[:1], value="win")
    page = "".join(label_page(pairs))
    verdicts = [pairs.units[one.unit].judge for one in pairs.items]
    ties = correct_runs(read(runs[:1], tmp_path, said(page, "Ann", lambda _: "tie")))
    assert 0.25 in verdicts  # an uneven judge gives a verdict, too
    assert (ties.find("agreement").value < 1, ties.find("sensitivity").value) == (True, None)
    swap = {"first": "second", "second": "first", "tie": "tie", "unsure": "unsure"}
    words = ("second", "tie", "first")
    told = ["unsure" if one is None else words[1 + (one > 0.5) - (one < 0.5)] for one in verdicts]
    shown = [swap[word] if item.swapped else word for word, item in zip(told, pairs.items, strict=True)]
    same = correct_runs(read(runs[:1], tmp_path, said(page, "Ann", shown.__getitem__)))
    assert {same.find(name).value for name in ("agreement", "sensitivity", "specificity")} == {1.0}
