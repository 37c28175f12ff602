"""A policy's file: what it may hold, and what is said of what it may not."""

from pathlib import Path

import pytest

from suite.errors import ConfigError
from suite.gates.policy import Claim, Policy, read_policy

CLAIM = "claims:\n- {task: tiny/one, no-worse-than: {margin: 0.01}}\n"


def read(folder: Path, text: str) -> Policy:
    path = folder / "policy.yaml"
    path.write_text(text)
    return read_policy(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("claims:\n- {task: a, beter: {}}\n", ["no field `beter`", "line 2, field `claims.0.beter`"]),
        ("claims:\n- {task: a}\n", ["one of no-worse-than, better and at-least; 0 are given", "line 2"]),
        ("claims:\n- {task: a, better: {}, at-least: 0.5}\n", ["2 are given"]),
        ("claims:\n- {task: a, better: {margin: -1}}\n", ["greater than or equal to 0", "better.margin"]),
        ("claims: []\n", ["at least 1 item", "field `claims`"]),
        (CLAIM + "level: 0.7\n", ["less than 0.5", "line 3, field `level`"]),
        (CLAIM + "alarms: {nights: 2}\n", ["greater than or equal to 12", "alarms.nights"]),
        ("", ["policy.yaml: it is empty"]),
        ("claim:\n- {task: a, better: {}}\n", ["no field `claim`", "line 1"]),
        ("claims:\n- {task: a, better: {margin: 1e-2}}\n", ["takes 1e-2 for text: write a point", "1.0e-2"]),
        ("format: suite-policy/2\n" + CLAIM, ["suite-policy/1", "line 1"]),
    ],
)
def test_a_wrong_field_is_named_with_its_line(tmp_path: Path, text: str, told: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert [one for one in told if one not in str(error.value)] == []


def test_a_mistake_is_counted_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, "claims:\n- {task: a, better: {margin: x}}\n")
    assert "more mistake" not in str(error.value)


def test_comments_order_and_defaults_do_not_change_the_hash(tmp_path: Path) -> None:
    one = read(tmp_path, CLAIM)
    other = read(
        tmp_path, "# a night\nlevel: 0.05\nclaims:\n- no-worse-than: {margin: 0.01}\n  task: tiny/one\n"
    )
    assert one.sha256 == other.sha256
    assert one.sha256 != read(tmp_path, CLAIM + "level: 0.04\n").sha256


@pytest.mark.parametrize(
    ("claim", "sign", "threshold"),
    [
        ({"no-worse-than": {"margin": 0.02}}, 1, -0.02),
        ({"no-worse-than": {"margin": 0.02}}, -1, -0.02),
        ({"better": {}}, 1, 0.0),
        ({"better": {"margin": 0.1}}, -1, 0.1),
        ({"at-least": 0.8}, 1, 0.8),
        ({"at-least": 3.0}, -1, -3.0),
    ],
)
def test_the_threshold_has_the_sign_that_makes_better_higher(
    claim: dict[str, object], sign: int, threshold: float
) -> None:
    assert Claim.model_validate({"task": "a", **claim}).threshold(sign) == threshold


def test_a_night_spends_its_share_of_the_year(tmp_path: Path) -> None:
    assert read(tmp_path, CLAIM + "alarms: {per_year: 2, nights: 52}\n").nightly == 2 / 52
    assert read(tmp_path, CLAIM).nightly == 0.05
