"""Samples found by value, tag, cell, finish: as typed with `suite runs samples`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from suite.cli.runs import runs
from suite.errors import ConfigError, NotFound

Make = Callable[..., Path]


def samples(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    words = ["samples", str(folder), "--json", "--limit", "1000", *arguments]
    found = json.loads(CliRunner().invoke(runs, words, catch_exceptions=False).output)
    assert found["matching"] == len(found["samples"])
    return list(found["samples"])


def refused(folder: Path, *arguments: str) -> str:
    error = CliRunner().invoke(runs, ["samples", str(folder), *arguments]).exception
    assert isinstance(error, NotFound | ConfigError)
    return str(error)


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ("kept=no", lambda one: one["values"].get("kept") is False),
        ("kept=True", lambda one: one["values"].get("kept") is True),
        ("kept!=yes", lambda one: one["values"].get("kept") is False),
        ("kept=unscored", lambda one: isinstance(one["values"].get("kept"), dict)),
        ("length>5", lambda one: one["values"].get("length", 0) > 5),
        ("length <= 5", lambda one: one["values"].get("length", 9) <= 5),
        ("finish=length", lambda one: one["finish"] == "length"),
        ("topic!=pets", lambda one: one["tags"]["topic"] != "pets"),
        ("unscored!=none", lambda one: any(isinstance(value, dict) for value in one["values"].values())),
    ],
)
def test_a_condition_finds_the_samples_that_fit(
    make_run: Make, condition: str, fits: Callable[[dict[str, Any]], bool]
) -> None:
    folder = make_run()
    every = samples(folder)
    wanted = [one for one in every if fits(one)]
    assert 0 < len(wanted) < len(every)
    assert samples(folder, "--where", condition) == wanted


def test_conditions_cells_and_tags_must_all_hold(make_run: Make) -> None:
    folder = make_run()
    (first, *_) = found = samples(folder, "--topic", "pets", "--where", "kept=yes", "--cell", "inter_turns=3")
    assert {one["tags"]["topic"] for one in found} == {"pets"}
    assert {one["parameters"]["inter_turns"] for one in found} == {3}
    assert samples(folder, "--tag", "topic=pets", "--where", "kept=yes", "--cell", "inter_turns=3") == found
    assert samples(folder, "--topic=pets", "--where", "kept=yes", "--cell", "inter_turns=3") == found
    only = samples(folder, "--cell", first["cell"][:5], "--sample", first["sample"])
    assert [one["sample"] for one in only] == [first["sample"]]
    assert first["question"] == "Sure?"
    assert first["answer"].startswith("answer ")


def test_question_answer_and_verdict_are_printed_harmless_and_counted(make_run: Make) -> None:
    folder = make_run(text=lambda cell, sample: "\x1b[2J[red]owned[/red]")
    words = ["samples", str(folder), "--where", "kept=no", "--limit", "1"]
    shown = CliRunner().invoke(runs, words, catch_exceptions=False).output
    assert "\x1b" not in shown
    assert "[red]owned[/red]" in shown
    places = [shown.index(f"{one}\n") for one in ("question", "  Sure?", "answer", "verdict", "  kept: no")]
    assert places == sorted(places)
    assert "1 of " in shown.splitlines()[-1]
    assert "solve call 1" not in shown
    assert "solve call 1" in CliRunner().invoke(runs, [*words, "--full"], catch_exceptions=False).output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--where", "kep=no"), "run-1: finish, kept, label, length, metric_kept"),
        (("--where", "kept=maybe"), "kept is yes or no, never 'maybe'"),
        (("--where", "length=long"), "length is a number, never 'long'"),
        (("--where", "finish>stop"), "compare it with = or !="),
        (("--where", "kept"), "is no condition"),
        (("--where", "kept="), "is no condition"),
        (("--where", "finish=~x"), "no finish named '~x'"),
        (("--topik", "pets"), "tags of run run-1: topic"),
        (("--topic", "pet"), "did you mean 'pets'"),
        (("--topic",), "--topic has no value"),
        (("--tag", "topic"), "is no tag"),
        (("--cell", "turns=3"), "no cell named 'turns=3'"),
        (("--sample", "pets/99"), "no sample named 'pets/99'"),
        (("another",), "name one run"),
    ],
)
def test_a_wrong_word_is_refused_with_what_there_is(
    make_run: Make, arguments: tuple[str, ...], message: str
) -> None:
    assert message in refused(make_run(), *arguments)
