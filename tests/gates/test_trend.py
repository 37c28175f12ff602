"""The trend of nights: lines, breaks, levels, and the page that shows them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import CHROMIUM, browser
from inspections import inspect_page
from msgspec.structs import replace

from suite.cli.main import run_command
from suite.gates.nights import ClaimNight, GatedRun, Night, add_night
from suite.gates.trend import claim_trends, sections, timeline
from suite.report.compare_page import html_page

BEGIN = datetime(2026, 11, 1, 2, tzinfo=UTC)


def gated(name: str, model: str = "vllm/org/model") -> GatedRun:
    return GatedRun(name=name, plan_sha256="a" * 64, created="2026", scoring="s", model=model)


def late(night: Night, began: str) -> Night:
    """The night of a run that began then, gated at another time."""
    return replace(night, candidate=[replace(one, created=began) for one in night.candidate])


def found(d: float | None, **other: Any) -> ClaimNight:
    ends = (None, None) if d is None else (d - 0.014, d + 0.014)
    given: dict[str, Any] = {
        "claim": 1,
        "task": "tiny/one",
        "version": 1,
        "cell": {"turns": 0},
        "metric": "kept",
        "n": 1000,
    }
    given |= {"kind": "no-worse-than", "sign": 1, "threshold": -0.01, "d": d, "low": ends[0], "high": ends[1]}
    return ClaimNight(**(given | other))


def night(index: int, *claims: ClaimNight, policy: str = "b", **other: Any) -> Night:
    given: dict[str, Any] = {"candidate": [gated(f"run-{index}")], "baseline": [gated("base")]}
    given |= {"night": f"{index:016x}", "pool": "c" * 16, "policy_sha256": policy * 64, "control": "family"}
    given |= {"time": (BEGIN + timedelta(days=index)).isoformat(), "level": 0.05, "alpha": 1 / 365}
    given |= {"verdict": "undecided"}
    return Night(claims=claims, **(given | other))


def nights(*values: float | None) -> list[Night]:
    return [night(index, found(value)) for index, value in enumerate(values)]


STEADY = [float(one) for one in np.random.default_rng(6).normal(0.0, 0.007, 20)]


def test_nights_without_a_change_are_one_level() -> None:
    (one,) = claim_trends(nights(*STEADY))
    assert [(level.change, level.until[:10]) for level in one.levels] == [(False, "2026-11-20")]


def test_a_loss_of_three_points_begins_another_level_on_its_night() -> None:
    (one,) = claim_trends(nights(*STEADY, -0.03, -0.035, -0.028))
    assert [level.time[:10] for level in one.levels if level.change] == ["2026-11-21"]


@pytest.mark.parametrize(
    ("what", "other"),
    [
        ("policy bbbbbbbb → dddddddd", {"policy": "d"}),
        ("model vllm/org/model → vllm/org/next", {"candidate": [gated("run", "vllm/org/next")]}),
        ("baseline base@s of 2026 → next@s of 2026", {"baseline": [gated("next")]}),
    ],
)
def test_what_is_gated_otherwise_breaks_the_line(what: str, other: dict[str, Any]) -> None:
    (one,) = claim_trends([*nights(0.0, 0.0), night(2, found(0.0), **other)])
    assert one.breaks == {"2026-11-03T02:00:00+00:00": what}


def test_another_version_of_the_task_begins_another_level_without_a_change() -> None:
    line = [*nights(*STEADY), *(night(20 + i, found(0.4, version=2)) for i in range(3))]
    (one,) = claim_trends(line)
    assert [level.change for level in one.levels] == [False, False]
    assert list(one.breaks.values()) == ["task version 1 → 2"]


def test_a_model_that_changed_its_value_is_a_break_and_a_change_at_one_place() -> None:
    after = [night(20 + i, found(-0.05), candidate=[gated("run", "next")]) for i in range(3)]
    (one,) = claim_trends([*nights(*STEADY), *after])
    assert len(timeline(one).events) == 1
    assert [level.change for level in one.levels] == [False, True]


def test_another_baseline_does_not_break_a_claim_about_the_candidate_alone() -> None:
    alone = found(0.8, kind="at-least", threshold=0.7)
    (one,) = claim_trends([night(0, alone), night(1, alone, baseline=[gated("other")])])
    assert one.breaks == {}


def test_a_night_without_an_interval_is_shown_and_not_searched() -> None:
    (one,) = claim_trends([*nights(*STEADY), night(20, found(-0.9, low=None, high=None))])
    assert len(one.levels) == 1
    assert timeline(one).lines[2].points[-1][1] == -0.9


def test_cells_of_one_task_are_lines_of_their_own_called_by_what_differs() -> None:
    claims = [found(0.0, cell={"turns": turns, "same": 1}) for turns in (0, 10)]
    titles = [one.title for one in claim_trends([night(0, *claims)])]
    assert titles == [
        f"tiny/one turns={turns}: kept no worse than the baseline by more than 0.010" for turns in (0, 10)
    ]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    for one in nights(*STEADY[:5], None, -0.03, -0.03, -0.035):
        add_night(tmp_path / "nights", one)
    return tmp_path / "nights"


def test_the_page_draws_every_night_and_tells_its_numbers(history: Path, tmp_path: Path) -> None:
    page = tmp_path / "trend.html"
    assert run_command("gate", "trend", str(history), "--html", str(page)) == 0
    text = page.read_text()
    assert text.count('class="whisker') == 8
    assert "2026-11-09" in text
    assert "no worse than the baseline by more than 0.010" in text


def test_the_json_form_has_nights_breaks_and_levels(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("gate", "trend", str(history), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["claims"][0]["d"] for one in told["nights"]][-1] == -0.035
    assert [one["change"] for one in told["claims"][0]["levels"]] == [False, True]


def test_a_night_that_is_gated_later_stands_where_its_run_began(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_night(history, late(night(30, found(0.5)), "2026-11-03T23:30:00+00:00"))
    assert run_command("gate", "trend", str(history), "--json") == 0
    line = [(one["time"], one["claims"][0]["d"]) for one in json.loads(capsys.readouterr().out)["nights"]]
    assert line == sorted(line)
    assert ("2026-11-03T23:30:00+00:00", 0.5) in line


@pytest.mark.parametrize("harm", [b'"time":"2026', b'"format":"suite-night', b'"claims"'])
def test_a_damaged_line_is_named(history: Path, harm: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    path = history / "nights.jsonl"
    first, second, *rest = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([first, second.replace(harm, harm + b"x"), *rest]))
    assert run_command("gate", "trend", str(history)) == 2
    assert "nights.jsonl line 2 is no night" in capsys.readouterr().err


def test_a_history_without_a_night_is_refused_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("gate", "trend", str(tmp_path)) == 2
    assert "holds no night yet" in (told := capsys.readouterr().err)
    assert "--history" in told


def test_nights_with_other_thresholds_in_one_policy_are_lines_of_their_own() -> None:
    both = (found(0.0), replace(found(0.0), threshold=-0.02, claim=2))
    assert len(claim_trends([night(0, *both), night(1, *both)])) == 2


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
async def test_the_page_can_be_read_everywhere(tmp_path: Path) -> None:
    hostile = "</script><img src=x onerror=document.title='owned'>" + "long-" * 30
    line = [night(i, found(-0.03 if i > 60 else 0.0, metric=hostile)) for i in range(100)]
    line += [night(100, found(0.0, metric=hostile), candidate=[gated(hostile, hostile)])]
    page = tmp_path / "trend.html"
    page.write_text("".join(html_page("nights", "Trend", sections(line, hostile, compact=False))))
    async with browser(tmp_path / "profile") as chromium:
        await inspect_page(chromium, page, "trend")
        assert await chromium.run("document.title") == "nights"
