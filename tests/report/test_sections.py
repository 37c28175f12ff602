"""Plugins' parts of a report: those that apply, and a sentence where one fails."""

from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

from suite.blocks import Section, Text
from suite.hookspecs import Entry, hookimpl
from suite.journal.run import Run
from suite.plugins import Catalogue, catalogue_of
from suite.report.plugin_sections import plugin_sections
from suite.scoring.analysis import Analysis

Make = Callable[..., Path]


class Counting(Analysis):
    name = "counting"
    title = "Counts"
    tasks: Sequence[str] = ("prefs/generation",)

    def sections(self, runs: Sequence[Run]) -> Iterable[Section]:
        yield Section("Counts", (Text(str(sum(1 for _ in runs[0].scores()))),))


class Elsewhere(Counting):
    tasks = ("other/task",)


class Everywhere(Counting):
    tasks = ()


class Failing(Counting):
    def sections(self, runs: Sequence[Run]) -> Iterable[Section]:
        yield Section("Never shown")
        raise KeyError("kept")


counting, elsewhere, everywhere, failing = Counting(), Elsewhere(), Everywhere(), Failing()
ENTRIES: list[Entry] = []


@hookimpl
def suite_register() -> list[Entry]:
    return ENTRIES


def plugins(*targets: str, task: str = "prefs/generation") -> Catalogue:
    here = __name__
    ENTRIES[:] = [Entry("task", task, "A task", "nowhere:Task")]
    ENTRIES[:] += [
        Entry("analysis", f"a{i}", "An analysis", target if ":" in target else f"{here}:{target}")
        for i, target in enumerate(targets)
    ]
    point = EntryPoint("mine", here, "suite")
    return catalogue_of([point])


def test_an_analysis_is_asked_for_runs_with_its_tasks(make_run: Make) -> None:
    run = Run(make_run())
    found = plugin_sections(run, plugins("counting", "elsewhere", "everywhere"))
    assert [(one.title, one.blocks) for one in found] == [("Counts", (Text("82"),))] * 2


def test_what_an_analysis_raises_becomes_a_sentence(make_run: Make) -> None:
    (found,) = plugin_sections(Run(make_run()), plugins("failing"))
    assert found == Section("Counts", (Text("The analysis 'a0' failed: KeyError: 'kept'"),))


def test_one_that_cannot_be_loaded_concerns_only_runs_of_its_plugin(make_run: Make) -> None:
    run = Run(make_run())
    (found,) = plugin_sections(run, plugins("not_a_module:x"))
    assert "cannot be loaded" in str(found.blocks[0])
    assert plugin_sections(run, plugins("not_a_module:x", task="other/task")) == []


def test_a_run_without_scores_has_no_sections(make_run: Make) -> None:
    assert plugin_sections(Run(make_run(scored=False)), plugins("everywhere")) == []
