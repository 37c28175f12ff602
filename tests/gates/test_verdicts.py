"""A gate from runs to verdict, exit code and files."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from suite.cli.main import run
from suite.gates.claims import WeighedClaim
from suite.gates.evidence import Evidence
from suite.gates.nights import KEPT, ClaimNight, Night, read_nights
from suite.gates.policy import Policy
from suite.gates.verdicts import KEPT_SO, LATER, NEW, SPENT, decide, gate
from suite.plugins import Catalogue
from suite.scoring.stats.one_sided import OneSided
from suite.scoring.stats.paired_difference import bonett_price

Gated = Callable[..., str]


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A factory of policies: claims as YAML, and lines before them."""
    monkeypatch.chdir(tmp_path)

    def make(*claims: str, head: str = "") -> str:
        Path("policy.yaml").write_text(head + "claims:\n" + "".join(f"- {{{one}}}\n" for one in claims))
        return "policy.yaml"

    return make


NO_WORSE = "task: tiny/one, no-worse-than: {margin: 0.01}"


@pytest.mark.parametrize(("lost", "code"), [(range(90), 1), (range(10), 0), (range(40, 70), 3)])
def test_the_exit_code_is_the_verdict(
    policy: Callable[..., str], gated: Gated, lost: range, code: int
) -> None:
    base, tonight = gated("base", range(20), n=1000), gated("tonight", lost, n=1000)
    assert run(["gate", policy(NO_WORSE), "--candidate", tonight, "--baseline", base]) == code


def test_the_json_names_the_number_that_decides(
    policy: Callable[..., str], gated: Gated, capsys: pytest.CaptureFixture[str]
) -> None:
    base, tonight = gated("base", range(10)), gated("tonight", range(50))
    run(["gate", policy(NO_WORSE), "--candidate", tonight, "--baseline", base, "--json"])
    (claim,) = json.loads(capsys.readouterr().out)["claims"]
    assert (claim["verdict"], claim["side"], claim["d"]) == ("fail", "upper", pytest.approx(-0.1))
    assert claim["d"] < claim["bound"] < claim["threshold"] == -0.01


WHEN = datetime(2026, 11, 1, 2, tzinfo=UTC)


@pytest.fixture
def nightly(gated: Gated, plugins: Catalogue, tmp_path: Path) -> Callable[..., Night]:
    """Gates of nights that lose these samples, against one baseline, with a history."""
    base = gated("base", range(10))

    def of(index: int, lost: Sequence[int], *, name: str = "", baseline: str = base, **policy: Any) -> Night:
        run = tmp_path / (name or f"night-{index}")
        candidate = str(run) if run.exists() else gated(run.name, lost)
        wanted = {"alarms": {}, "claims": [{"task": "tiny/one", "no-worse-than": {}}], **policy}
        when = WHEN + timedelta(days=index)
        return gate(
            Policy.model_validate(wanted), [candidate], [baseline], tmp_path / "history", plugins, when
        )

    return of


def test_three_nights_show_a_loss_that_none_shows_alone(nightly: Callable[..., Night]) -> None:
    lost = [[*range(1, 10), *range(20 + 10 * index, 30 + 10 * index)] for index in range(3)]
    found = [nightly(index, one) for index, one in enumerate(lost)]
    assert [one.verdict for one in found] == ["undecided", "undecided", "fail"]
    assert found[2].claims[0].window == 3


def test_a_night_that_is_better_does_not_block_for_those_before(nightly: Callable[..., Night]) -> None:
    nights = [nightly(0, range(60)), nightly(1, range(60)), nightly(2, range(9))]
    assert [one.verdict for one in nights] == ["fail", "fail", "undecided"]


def test_the_same_night_again_replaces_itself_and_spends_nothing_anew(
    nightly: Callable[..., Night], tmp_path: Path
) -> None:
    first, again = nightly(0, range(20)), nightly(3, range(20), name="night-0")
    nights, _ = read_nights(tmp_path / "history")
    assert (first.night, first.time, first.alpha) == (again.night, again.time, again.alpha)
    assert len(nights) == 1


def test_a_night_given_again_stands_where_those_pooled_with_it_keep_no_samples(
    nightly: Callable[..., Night], tmp_path: Path
) -> None:
    lost = [[*range(1, 10), *range(20 + 10 * index, 30 + 10 * index)] for index in range(3)]
    found = [nightly(index, one) for index, one in enumerate(lost)]
    for index in range(3, 3 + KEPT - 1):
        nightly(index, range(9))
    again = nightly(20, lost[2], name="night-2")
    assert (again.verdict, again.remarks, again.claims) == ("fail", [KEPT_SO], found[2].claims)
    assert read_nights(tmp_path / "history")[0][2].verdict == "fail"


def test_a_night_given_again_has_the_alpha_that_it_had(nightly: Callable[..., Night]) -> None:
    alarms = {"per_year": 3, "nights": 12}
    *_, last = (nightly(index, range(9), alarms=alarms) for index in range(13))
    assert nightly(400, range(9), name="night-12", alarms=alarms).alpha == last.alpha == 0


def test_nights_dated_later_than_now_spend_nothing_and_are_told(nightly: Callable[..., Night]) -> None:
    alarms = {"per_year": 1, "nights": 12}
    for index in range(12):
        nightly(100 + index, range(9), alarms=alarms)
    found = nightly(0, range(60), alarms=alarms)
    assert (found.verdict, found.alpha, found.remarks) == ("fail", 1 / 12, [LATER])


def test_a_history_that_cannot_be_written_is_told_after_the_result(
    policy: Callable[..., str], gated: Gated, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--candidate", gated("a", range(80)), "--baseline", gated("b", range(10)), "--json"]
    Path("there").write_text("no folder")
    assert run(["gate", policy(NO_WORSE), *words, "--history", "there/nights", "--junit", "gate.xml"]) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out)["verdict"] == "fail"
    assert "the history cannot be written: Not a directory" in shown.err
    assert "--history" in shown.err
    assert Path("gate.xml").exists()


@pytest.mark.parametrize(
    "outputs",
    [
        ["--junit", "policy.yaml"],
        ["--markdown", "base/notes/gate.md"],
        ["--html", "nights/nights.jsonl"],
        ["--html", "same", "--junit", "./same"],
        ["--html", "-", "--markdown", "-"],
    ],
)
def test_an_output_never_takes_the_place_of_what_is_read(
    policy: Callable[..., str], gated: Gated, outputs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    gated("base")
    assert run(["gate", policy(NO_WORSE), "--candidate", "no-run", "--history", "nights", *outputs]) == 2
    assert "would change" in capsys.readouterr().err
    assert Path("policy.yaml").read_text().startswith("claims:")


def test_p_values_that_were_not_sought_further_are_shown_as_at_least_a_half(
    policy: Callable[..., str], gated: Gated
) -> None:
    words = ["--candidate", gated("a", range(20, 28)), "--baseline", gated("b", range(10))]
    run(
        [
            "gate",
            policy(NO_WORSE),
            *words,
            "--undecided",
            "fail",
            "--junit",
            "gate.xml",
            "--html",
            "gate.html",
        ]
    )
    (failure,) = ElementTree.parse("gate.xml").getroot().iter("failure")
    assert "≥ 0.5" in Path("gate.html").read_text()
    assert re.search("n = 400, p pass: 0.[0-4]", failure.text or "")


def test_names_of_junit_do_not_depend_on_what_else_is_gated(policy: Callable[..., str], gated: Gated) -> None:
    words = ["--candidate", gated("a"), "--baseline", gated("b")]
    run(["gate", policy(NO_WORSE), *words, "--junit", "gate.xml"])
    (suite_,) = ElementTree.parse("gate.xml").getroot()
    names = [suite_.get("name"), *(one.get("name") for one in suite_)]
    assert names == ["policy", "tiny/one turns=0: kept no-worse-than, margin 0.010"]


def test_the_order_of_runs_makes_no_other_night(gated: Gated, plugins: Catalogue) -> None:
    policy = Policy.model_validate({"claims": [{"task": "tiny/one", "no-worse-than": {}}]})
    runs, base = [gated("a", range(5)), gated("b", range(9))], [gated("c"), gated("d", range(4))]
    one = gate(policy, runs, base, plugins=plugins, when=WHEN)
    assert gate(policy, runs[::-1], base[::-1], plugins=plugins, when=WHEN) == one


def test_another_policy_or_baseline_begins_a_new_pool_and_says_so(
    nightly: Callable[..., Night], gated: Gated
) -> None:
    first, second = nightly(0, range(30)), nightly(1, range(30), level=0.04)
    third = nightly(2, range(30), baseline=gated("other", range(10)), level=0.04)
    assert len({first.pool, second.pool, third.pool}) == 3
    assert [NEW in one.remarks for one in (first, second, third)] == [False, True, True]
    assert third.claims[0].window == 1


def test_a_year_spends_no_more_than_its_alarms(nightly: Callable[..., Night]) -> None:
    alarms = {"per_year": 3, "nights": 12}
    found = [nightly(index, range(60), alarms=alarms) for index in range(13)]
    assert sum(one.alpha for one in found) == pytest.approx(3)
    assert (found[-1].verdict, found[-1].remarks) == ("undecided", [SPENT])
    assert nightly(400, range(60), alarms=alarms).alpha == 0.25


def test_holm_corrects_as_statsmodels_does() -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    chance = np.random.default_rng(3)
    each = [
        Evidence(float(d.mean()), OneSided(bonett_price(d)))
        for d in chance.choice([-1, 0, 0, 0, 1], (9, 200))
    ]
    policy = Policy.model_validate({"claims": [{"task": "a", "better": {}}]})
    numbers = ClaimNight(
        claim=1, task="a", version=1, cell={}, metric="kept", kind="better", sign=1, threshold=0.0
    )
    found = decide(policy, 0.05, [WeighedClaim(numbers, one) for one in each], {})
    wanted = multitest.multipletests([one.p_fail for one in found], method="holm")[1]
    assert [one.p_fail_corrected for one in found] == pytest.approx(list(wanted))


@pytest.mark.parametrize(("undecided", "code", "kind"), [("pass", 0, None), ("fail", 1, "failure")])
def test_undecided_counts_as_the_flag_says(
    policy: Callable[..., str], gated: Gated, undecided: str, code: int, kind: str | None
) -> None:
    words = [
        "gate",
        policy(NO_WORSE),
        "--candidate",
        gated("a", range(20, 30)),
        "--baseline",
        gated("b", range(10)),
    ]
    assert run([*words, "--undecided", undecided, "--junit", "gate.xml"]) == code
    (case,) = ElementTree.parse("gate.xml").getroot().iter("testcase")
    assert [one.tag for one in case] == ([kind] if kind else [])


# what Jenkins and GitLab read, by element
READ = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "timestamp", "time"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "skipped": {"message"},
}


def test_junit_has_a_case_a_claim_and_nothing_that_readers_do_not_know(
    policy: Callable[..., str], gated: Gated
) -> None:
    claims = [NO_WORSE, "task: tiny/one, metric: grade, better: {}", "task: tiny/one, at-least: 0.5"]
    words = ["--candidate", gated("a", range(80)), "--baseline", gated("b", range(10))]
    run(["gate", policy(*claims), *words, "--junit", "gate.xml"])
    root = ElementTree.parse("gate.xml").getroot()
    cases = {case.get("name", "").split(": ")[1]: [one.tag for one in case] for case in root.iter("testcase")}
    assert [one.attrib.keys() <= READ[one.tag] for one in root.iter()] == [True] * len([*root.iter()])
    assert cases == {
        "kept no-worse-than, margin 0.010": ["failure"],
        "grade better": ["skipped"],
        "kept at-least 0.500": [],
    }
    (suite_,) = root
    assert (suite_.get("tests"), suite_.get("failures"), suite_.get("skipped")) == ("3", "1", "1")


def test_hostile_names_are_no_markup(policy: Callable[..., str], gated: Gated) -> None:
    evil = "scripted/<img src=x>|[a](http://b)"
    words = ["--candidate", gated("a", range(80), model=evil), "--baseline", gated("b", model=evil)]
    run(
        [
            "gate",
            policy(NO_WORSE),
            *words,
            "--junit",
            "gate.xml",
            "--markdown",
            "gate.md",
            "--html",
            "gate.html",
        ]
    )
    ElementTree.parse("gate.xml")
    assert "<img" not in Path("gate.html").read_text()
    assert r"scripted/\<img src=x\>\|\[a\](http\://b)" in Path("gate.md").read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere.yaml", "--candidate", "a"], "nowhere.yaml"),
        (["policy.yaml", "--candidate", "nowhere"], "no run named 'nowhere'"),
        (["policy.yaml"], "--candidate"),
    ],
)
def test_bad_input_is_code_2_and_a_sentence(
    policy: Callable[..., str], words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    policy(NO_WORSE)
    assert run(["gate", *words]) == 2
    assert told in capsys.readouterr().err
