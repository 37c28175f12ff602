"""`suite plugin check`: a line a check, exit 1 on failure, JSON."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

import suite
from suite.cli.plugin import check, tasks_of
from suite.errors import ConfigError, NotFound
from suite.plugins import Catalogue, Plugin, catalogue
from suite.testing import conformance
from suite.testing.bench import Skip


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three checks: one of each end."""

    def passes(bench: Any) -> Iterator[str]:
        """All is well."""
        return iter(())

    def fails(bench: Any) -> Iterator[str]:
        """All is well."""
        yield "it is not"

    def skips(bench: Any) -> Iterator[str]:
        """All is well."""
        yield from ()
        raise Skip("nobody can tell")

    monkeypatch.setattr(conformance, "CHECKS", {"passes": passes, "fails": fails, "skips": skips})
    monkeypatch.setattr("suite.cli.plugin.tasks_of", lambda name, **_: [name])


def test_each_check_has_a_line_and_a_failure_exits_1(three: None) -> None:
    done = CliRunner().invoke(check, ["judge-audit/biases"])
    assert done.exit_code == 1
    assert [line.split() for line in done.output.splitlines()] == [
        ["judge-audit/biases"],
        ["passed", "passes", "All", "is", "well."],
        ["failed", "fails", "All", "is", "well."],
        ["it", "is", "not"],
        ["skipped", "skips", "nobody", "can", "tell"],
    ]


def test_json_says_the_same(three: None) -> None:
    done = CliRunner().invoke(check, ["judge-audit/biases", "--json", "--only", "passes", "--only", "skips"])
    told = json.loads(done.output)
    assert (done.exit_code, told["ok"], told["tasks"][0]["task"]) == (0, True, "judge-audit/biases")
    assert [(one["check"], one["status"]) for one in told["tasks"][0]["checks"]] == [
        ("passes", "passed"),
        ("skips", "skipped"),
    ]


def test_an_unknown_check_is_refused_with_its_neighbours(three: None) -> None:
    done = CliRunner().invoke(check, ["judge-audit/biases", "--only", "pases"])
    assert isinstance(done.exception, NotFound)
    assert "passes" in str(done.exception)


def test_flags_that_leave_no_check_are_refused() -> None:
    done = CliRunner().invoke(check, ["judge-audit/biases", "--only", "embedded", "--no-model"])
    assert isinstance(done.exception, ConfigError)
    assert done.output == ""


def test_a_plugin_stands_for_all_its_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    import suite

    entries = tuple(suite.Entry("task", f"f/{one}", "A task", "m:T") for one in "ab")
    plugin = Plugin("f-plugin", "suite-f", "1", entries)
    catalogue.cache_clear()
    monkeypatch.setattr("suite.cli.plugin.catalogue", lambda: Catalogue((plugin,)))
    assert tasks_of("suite-f") == tasks_of("f-plugin") == ["f/a", "f/b"]
    assert tasks_of("f/a") == ["f/a"]
    with pytest.raises(NotFound):
        tasks_of("g")
    other = Plugin(
        "f",
        "suite-g",
        "1",
        (suite.Entry("task", "f/c", "A task", "m:T"), suite.Entry("task", "h/d", "A", "m:T")),
    )
    monkeypatch.setattr("suite.cli.plugin.catalogue", lambda: Catalogue((other,)))
    assert tasks_of("f") == ["f/c", "h/d"], "a plugin's name means all of it, not the one task of that family"


class Explained(suite.Parameters):
    """Two ways to say what a parameter is for."""

    first: int = 1
    """Told below."""
    second: int = suite.at_score(2, description="told inside")
    third: int = 3


def test_a_parameter_without_help_text_is_advice_and_no_failure(
    three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = catalogue().load("task", "judge-audit/biases")
    monkeypatch.setattr(task, "parameters_type", classmethod(lambda _: Explained))
    said = "parameter 'third' has no help text: write a docstring below it, or description=…"
    assert Explained.model_fields["first"].description == "Told below."
    done = CliRunner().invoke(check, ["judge-audit/biases", "--only", "passes"])
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, f"  advice: {said}")
    told = json.loads(CliRunner().invoke(check, ["judge-audit/biases", "--only", "passes", "--json"]).output)
    assert (told["ok"], told["tasks"][0]["advice"]) == (True, [said])
