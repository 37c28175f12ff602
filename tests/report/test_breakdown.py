"""Numbers by tags, who is served worst, what metrics are: the same in every report."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from suite.journal.documents import Direction, MetricResult
from suite.journal.run import Run
from suite.plugins import catalogue
from suite.report.breakdown import Served
from suite.report.html import html_report
from suite.report.markdown import escaped, markdown_report
from suite.report.matrix import meanings, served_lines, told
from suite.report.summary import TaskSummary, summarise
from suite.report.terminal import print_results
from suite.scoring.metrics import Rate
from suite.scoring.metrics.declared import metrics_of
from suite.scoring.served import Best, Named, Worst
from suite.scoring.stats.estimate import Estimate

Make = Callable[..., Path]


def tasks_of(folder: Path) -> dict[str, TaskSummary]:
    return {one.name: one for one in summarise(Run(folder)).tasks}


def numbers(task: TaskSummary) -> list[Any]:
    return [
        (found.metric, tag, value, [row and (row.value, row.n) for row in rows])
        for found in task.breakdowns
        for tag, values in found.tags.items()
        for value, rows in values
    ]


def test_an_installed_task_s_intervals_are_wider_around_the_same_numbers(
    mini_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = tasks_of(mini_run)["prefeval/classification"]
    shown = numbers(wide)
    monkeypatch.setattr("suite.run.reopen.tasks_of", lambda _run: {})
    alone = tasks_of(mini_run)["prefeval/classification"]
    assert numbers(alone) == shown
    (first, *_), (other, *_) = wide.breakdowns, alone.breakdowns
    levels, told_levels = (
        [
            row.level
            for values in one.tags.values()
            for _, rows in values
            for row in rows
            if row and row.low is not None
        ]
        for one in (first, other)
    )
    assert (first.metric, first.at_once, other.at_once) == ("correct", True, False)
    assert levels == pytest.approx([1 - 0.05 / len(levels)] * len(levels))
    assert set(told_levels) == {0.95}
    assert "hold all at once" in " ".join(told("at_once", first))
    assert "not all at once" in " ".join(told("at_once", other))


def test_a_task_whose_code_fails_costs_only_what_needs_it(
    mini_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_run: Run) -> None:
        raise RuntimeError("third-party code")

    monkeypatch.setattr("suite.run.reopen.tasks_of", broken)
    task = tasks_of(mini_run)["prefeval/generation"]
    assert not task.breakdowns[0].at_once
    assert served_lines(task) == []
    assert dict(meanings(task))["kept"][0] == "Higher is better."


def test_every_report_says_the_same_of_who_is_served_worst(
    mini_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = served_lines(tasks_of(mini_run)["prefeval/classification"])
    assert lines == [
        "topic, each cell: no difference between the 7 values is shown; "
        "n=1 to 2 each may be too few to tell.",
        "topic: best cell: tied for 7 of 7; no difference is shown.",
    ]
    monkeypatch.setenv("COLUMNS", "2000")
    print_results(mini_run)
    text = capsys.readouterr().out
    page, document = "".join(html_report(mini_run)), markdown_report(mini_run)
    for line in lines:
        assert line in text
        assert f"<li>{line}</li>" in page
        assert f"- {escaped(line, 2000)}" in document


def test_a_metric_is_explained_from_its_declaration_and_its_task_s_own_words(
    mini_run: Path, page: Any
) -> None:
    found = page("".join(html_report(mini_run)))
    said = " ".join(dict(meanings(tasks_of(mini_run)["prefeval/classification"]))["correct"])
    assert said.startswith(
        "The model picks the option that respects its user's preference. "
        "The share of samples (or parts) whose 0/1 value is true. Mean of"
    )
    assert "The model picks the option that respects" in markdown_report(mini_run)
    assert "From 0 to 1. Higher is better. Interval: " in said
    assert said in found.text
    assert (
        "does a free answer follow the preference its user mentioned?" in found.text
    )  # the module's docstring
    assert "does a free answer follow the preference its user mentioned?" in markdown_report(mini_run)
    targets = found.attributes("popovertarget")
    assert targets
    assert set(targets) <= set(found.attributes("id"))


def test_what_a_metric_says_of_itself_is_text_and_changes_no_result(
    mini_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (task,) = (one for one in tasks_of(mini_run).values() if one.name == "prefeval/classification")
    hostile = Rate("correct", about="<script>alert(1)</script>\n\u202e{{ 7 * 7 }}")
    assert hostile == Rate("correct")
    monkeypatch.setattr(type(task.scores), "declared", lambda _self, _task: [hostile])
    said = dict(meanings(task))["correct"][0]
    assert said.startswith("<script>alert(1)</script> ")
    assert said.endswith("{{ 7 * 7 }}")
    assert "\u202e" not in said
    assert "<script>alert(1)" not in "".join(html_report(mini_run))


def test_every_metric_of_the_core_plugins_says_what_it_means() -> None:
    found = [
        (entry.name, metric.name)
        for entry, plugin in catalogue().entries("task")
        if plugin.name != "suite"
        for metric in metrics_of(catalogue().load("task", entry.name).metrics)
        if not metric.about
    ]
    assert found == []


def test_no_table_has_two_columns_of_one_name(mini_run: Path) -> None:
    heads = re.findall("<thead>(.*?)</thead>", "".join(html_report(mini_run)), re.DOTALL)
    for head in heads:
        names = [re.sub("<[^>]+>", "", one) for one in re.findall("<th[ >].*?</th>", head, re.DOTALL)]
        assert len(names) == len(set(names))
        assert all(names)


def test_tags_are_text_whatever_they_hold(make_run: Make, page: Any) -> None:
    hostile = ("</td><script>alert(1)</script>", "\u202eevil\x1b[2J", "{{ 7 * 7 }}", "\0 \x85")
    folder = make_run(turns=(0,), methods=("plain",), tag=lambda sample: hostile[sample % 4])
    html = "".join(html_report(folder))
    found = page(html)
    assert "</td><script>alert(1)</script>" in found.text
    assert "{{ 7 * 7 }}" in found.text
    assert not set(html) & {"\u202e", "\x1b", "\0", "\x85"}


def test_numbers_of_few_samples_are_marked_and_shown(make_run: Make) -> None:
    html = "".join(html_report(make_run(turns=(0,), methods=("plain",), samples=12, pending=0)))
    fields = re.findall(r'<td class="n ([^"]+)"><b>[0-9.]+</b> <small>(?:–|\[[^]]*\]) n=(\d+)</small>', html)
    assert fields
    assert all((kind == "few") == (int(n) < 5) for kind, n in fields)


def test_colours_are_told_by_numbers_too(make_run: Make) -> None:
    html = "".join(html_report(make_run(turns=(0,), samples=60)))
    (scale,) = re.findall('<p class="scale">(.*?)</p>', html)
    fields = re.findall(r'<td class="n (h\d)"><b>([0-9.]+)</b>', html)
    ends = re.findall(r'<span class="(h\d)[^"]*">([0-9.]+)</span>', scale)
    assert ends == [min(fields, key=lambda one: float(one[1])), max(fields, key=lambda one: float(one[1]))]
    assert "higher is better" in scale
    assert "few" not in scale


def test_a_single_number_has_no_scale(make_run: Make) -> None:
    html = "".join(html_report(make_run(turns=(0,), methods=("plain",), samples=20, tag=lambda _: "one")))
    (scale,) = re.findall('<p class="scale">(.*?)</p>', html)
    assert scale == "higher is better"


def test_results_are_left_as_they_are(mini_run: Path) -> None:
    (path,) = mini_run.glob("scorings/*/results.json")
    before = path.read_bytes()
    "".join(html_report(mini_run))
    assert path.read_bytes() == before
    assert {row["level"] for cell in json.loads(before)["cells"] for row in cell["metrics"]} == {0.95}


def shown(value: float, n: int, direction: Direction = "higher") -> MetricResult:
    return MetricResult(
        name="kept", slice={}, headline=False, value=value, low=value - 0.1, high=value + 0.1, level=0.99,
        method="beta", n=n, unscored=0, not_applicable=0, coverage=1.0, bounds=None, clusters=n,
        n_effective=None, direction=direction, note="", unit="",
    )  # fmt: skip


def worst(
    cell: str, tag: str, values: str, row: MetricResult, *, beyond: bool = False, few: int = 0
) -> Worst:
    return Worst(cell, tag, beyond, [Named(one, row, 0.6) for one in values.split()], 9, few, (1, 40))


def test_who_is_served_worst_is_said_of_each_cell_and_once_where_it_is_the_same() -> None:
    found = Served(
        [
            worst("c1", "topic", "t0 t1 t2 t3 t4 t5", shown(0.2, 40), beyond=True),
            worst("c2", "topic", "", shown(0.5, 9)),
            worst("c1", "tier", "hard", shown(0.4, 7, "lower"), few=2),
            worst("c2", "tier", "hard", shown(0.4, 7, "lower"), few=2),
            worst("c2", "user", "a b c d e f g", shown(1.0, 7)),
        ],
        [("c1", "user", Estimate(0.3, 0.2, 0.4, n=30)), ("c2", "user", Estimate(0.2, 0.1, 0.4, n=30)),
         ("c1", "", Estimate(0.25, 0.2, 0.3, n=200))],
        [Best("topic", "a", "c1", True), Best("topic", "b", "c2", False), Best("topic", "c", "", False)],
    )  # fmt: skip
    tier, first, second, user, tenth, clusters, best = told("served", found, {"c1": "remind", "c2": "plain"})
    assert tier == (
        "tier, each cell: highest for hard, 0.400 [0.300, 0.500], n=7; no difference from the rest (0.600) "
        "is shown. Too few samples to be named: 2 of 9 values."
    )
    assert first.startswith("topic, remind: worse than the rest beyond chance: t0 0.200 [0.100, 0.300], n=40")
    assert first.endswith("(the rest 0.600) and 1 more.")
    assert second == (
        "topic, plain: no difference between the 9 values is shown; n=1 to 40 each may be too few to tell."
    )
    assert user == (
        "user, plain: lowest for a, b, c, d, e and 2 more, 1.000, n=7 each; "
        "no difference from the rest is shown."
    )
    assert tenth.startswith(
        "Worst tenth of 30 values of user: remind 0.300 [0.200, 0.400]; plain 0.200 [0.100, 0.400]. Half of"
    )
    assert clusters.startswith(
        "Worst tenth of 200 clusters (samples of one origin, such as a user): remind 0"
    )
    assert best == (
        "topic: best cell: plain for 1 of 3, remind for 1 (beyond chance: a), tied for 1; "
        "no difference is shown for the others."
    )


def test_of_many_cells_a_few_are_said_in_words() -> None:
    cells = {f"c{i}": f"arm {i}" for i in range(30)}
    found = Served([worst(cell, "topic", "a", shown(i / 50, 9)) for i, cell in enumerate(cells)])
    lines = told("served", found, cells)
    assert len(lines) == 9
    assert lines[-1] == "topic: 22 more cells are in the table."
