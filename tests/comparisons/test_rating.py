import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.blocks import Table
from suite.comparisons.rating import RateWanted, rate
from suite.comparisons.rating_sections import as_data, sections
from suite.comparisons.votes_files import RawVote, RawVotes, read_votes, winner_of
from suite.errors import ConfigError, DataError, NotFound
from suite.plugins import Catalogue
from suite.scoring.stats.votes import Policy
from suite.task import Unscored

HEADER = "a,b,winner"


def csv_of(tmp_path: Path, *lines: str, header: str = HEADER, name: str = "votes.csv") -> list[str]:
    path = tmp_path / name
    path.write_text("\n".join([header, *lines]) + "\n")
    return [str(path)]


def played(*games: str) -> RawVotes:
    winners = {">": "a", "=": "tie", "?": None}
    return RawVotes([RawVote(game[0], game[2], winners[game[1]]) for game in games], "games")


def test_a_file_of_votes_is_rated_as_the_statistics_are(tmp_path: Path) -> None:
    lines = [f"q{i},x,y,{'a' if i % 3 else 'b'},{i}" for i in range(60)]
    lines += [f"q{i},y,z,{'model_a' if i % 4 else 'tie'},{-i}" for i in range(60)]
    raw = read_votes(csv_of(tmp_path, *lines, header="prompt,model_a,model_b,winner,longer"), ["longer"])
    assert len(raw.votes) == 120
    found = rate(raw, RateWanted(rounds=100, styles=["longer"], robustness=True))
    assert [rank.point for rank in found.ranks] == [1, 2, 3]
    assert found.votes.prompts.count == 60
    assert found.style.coefficients["longer"].value is not None
    titles = [one.title for one in sections(found)]
    assert titles[:3] == ["Ratings", "Draws", "Pairs"]
    assert "How easily the ranking moves" in titles
    data = json.loads(json.dumps(as_data(found), allow_nan=False))
    assert [one["model"] for one in data["models"]] == ["x", "y", "z"]
    assert data["neighbours"][0]["low"] < data["neighbours"][0]["value"] < data["neighbours"][0]["high"]


def test_json_lines_and_names_as_winners(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    rows = [
        {"model_a": "x", "model_b": "y", "winner": "y", "question_id": 1, "judge": "u", "tstamp": 3},
        {
            "model_a": "y",
            "model_b": "x",
            "winner": "tie (bothbad)",
            "question_id": 2,
            "judge": "u",
            "tstamp": 1,
        },
        {"model_a": "x", "model_b": "y", "winner": None, "question_id": 2, "judge": "v", "tstamp": 2},
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    raw = read_votes([str(path)])
    told = [(one.winner, one.prompt, one.user) for one in raw.votes]
    assert told == [("both-bad", "2", "u"), (None, "2", "v"), ("b", "1", "u")]
    assert raw.ordered


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["x,y,z"], "line 2: the winner 'z' is neither"),
        (["x,y,a", "x,y,A or B"], "line 3"),
        (["x,,a"], "names no b"),
        (["x,y"], "2 fields, the header has 3"),
        ([], "holds no votes"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_votes(csv_of(tmp_path, *lines))


def test_a_vote_that_stands_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'1' is given twice\\n  in line 2 and in line 4"):
        read_votes(csv_of(tmp_path, "1,x,y,a", "2,x,y,a", "1,x,y,b", header="id,a,b,winner"))


@pytest.mark.parametrize(
    ("word", "winner"),
    [
        ("both_bad", "both-bad"),
        ("tie (bothbad)", "both-bad"),
        ("Tie (both bad)", "both-bad"),
        ("both_good", "both-good"),
        ("tie (inconsistent)", "tie"),
        ("MODEL_A", "a"),
        ("model b", "b"),
        ("A>>B", "a"),
        ("A=B", "tie"),
    ],
)
def test_winners_are_read_as_arenas_spell_them(word: str, winner: str) -> None:
    assert winner_of(word, "x", "y", "line 2") == winner


@pytest.mark.parametrize(("a", "b"), [("b", "a"), ("x", "a"), ("right", "left")])
def test_a_name_that_is_the_other_side_is_refused_not_guessed(a: str, b: str) -> None:
    with pytest.raises(DataError, match="the other model's side"):
        winner_of(b, a, b, "line 2")
    assert winner_of(b, b, a, "line 2") == "a"


def test_one_json_array_is_read_like_lines(tmp_path: Path) -> None:
    rows = [{"model_a": "x", "model_b": "y", "winner": one} for one in ("model_a", "tie (bothbad)")]
    (tmp_path / "lines.json").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "array.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(rows).encode())
    lines, array = (read_votes([str(tmp_path / f"{name}.json")]) for name in ("lines", "array"))
    assert lines.votes == array.votes
    assert [one.winner for one in lines.votes] == ["a", "both-bad"]
    (tmp_path / "array.json").write_text(json.dumps([*rows, {**rows[0], "winner": "z"}]))
    with pytest.raises(DataError, match="line 3: the winner 'z'"):
        read_votes([str(tmp_path / "array.json")])


@pytest.mark.parametrize(
    ("times", "order", "undated"),
    [
        (["100", "9", ""], [1, 0, 2], 1),
        (["nan", "9", "5"], [2, 1, 0], 1),
        (["2025-01-01T10:00:00+02:00", "2025-01-01T09:30:00+00:00", "2025-01-01T08:30:00Z"], [0, 2, 1], 0),
        (["2025-01-02", "2025-01-01 23:00:00 UTC", "2025-01-01"], [2, 1, 0], 0),
        (["1/10/2025", "1/9/2025", "then"], [0, 1, 2], 3),
    ],
)
def test_votes_stand_in_order_of_moments(
    tmp_path: Path, times: list[str], order: list[int], undated: int
) -> None:
    rows = [f"x,y,a,q{i},{time}" for i, time in enumerate(times)]
    raw = read_votes(csv_of(tmp_path, *rows, header="a,b,winner,prompt,time"))
    assert ([one.prompt for one in raw.votes], raw.undated) == ([f"q{i}" for i in order], undated)
    assert raw.ordered == (undated < 3)


def test_numbers_and_dates_are_not_put_in_one_order(tmp_path: Path) -> None:
    rows = ["x,y,a,5", "x,y,b,2025-01-01"]
    with pytest.raises(DataError, match="a number in line 2 and a date in line 3"):
        read_votes(csv_of(tmp_path, *rows, header="a,b,winner,time"))


def test_wrong_files_are_errors_that_say_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column for 'winner'"):
        read_votes(csv_of(tmp_path, "x,y", header="a,b"))
    with pytest.raises(NotFound, match="lenght"):
        read_votes(csv_of(tmp_path, "x,y,a"), ["lenght"])
    with pytest.raises(DataError, match="no number"):
        read_votes(csv_of(tmp_path, "x,y,a,long", header=HEADER + ",length"), ["length"])
    (tmp_path / "votes.txt").write_text("x")
    with pytest.raises(ConfigError, match="no .csv"):
        read_votes([str(tmp_path / "votes.txt")])
    (tmp_path / "bad.csv").write_bytes(b"a,b,winner\n\xff,y,a\n")
    with pytest.raises(DataError, match="not UTF-8"):
        read_votes([str(tmp_path / "bad.csv")])
    (tmp_path / "bad.jsonl").write_text("[1]\n")
    with pytest.raises(DataError, match="element 1 is a number, no object"):
        read_votes([str(tmp_path / "bad.jsonl")])
    with pytest.raises(ConfigError, match="one file"):
        read_votes([*csv_of(tmp_path, "x,y,a"), "runs/b"])
    with pytest.raises(NotFound):
        read_votes(["nowhere"])
    with pytest.raises(ConfigError, match="no style"):
        read_votes(["nowhere"], ["length"])


def test_a_model_without_a_rating_under_a_style_has_no_place(tmp_path: Path) -> None:
    lines = [f"q{i},x,y,a,1" for i in range(40)] + [f"q{i},y,z,a,1" for i in range(40)]
    raw = read_votes(csv_of(tmp_path, *lines, header="prompt,a,b,winner,longer"), ["longer"])
    found = rate(raw, RateWanted(rounds=20, styles=["longer"]))
    (table,) = (
        block
        for one in sections(found)
        for block in one.blocks
        if isinstance(block, Table) and "place without" in block.columns
    )
    assert [row[1] for row in table.rows] == [None, None, None]


def test_nothing_to_rate_is_said() -> None:
    with pytest.raises(ConfigError, match="one model"):
        rate(played("x>x"))
    with pytest.raises(ConfigError, match="no vote has a winner"):
        rate(played("x?y"))


def test_all_draws_leave_everybody_equal() -> None:
    found = rate(played(*["p=q", "q=r"] * 20), RateWanted(rounds=50))
    assert [one.value for one in found.found.estimates] == pytest.approx([1000] * 3)
    assert all(one.low is None for one in found.found.estimates)  # no variation is no certainty
    json.dumps(as_data(found), allow_nan=False)
    policies: tuple[Policy, ...] = ("drop", "davidson")
    for policy in policies:
        sections(rate(played(*["p=q", "q=r"] * 20), RateWanted(rounds=20, policy=policy)))


def test_a_disconnected_graph_has_groups_and_no_common_scale() -> None:
    found = rate(played(*["p>q", "q>p", "r>s", "s>r"] * 10), RateWanted(rounds=50))
    data: Any = as_data(found)
    assert data["groups"] == [["p", "q"], ["r", "s"]]
    assert "no common scale" in data["note"]
    table = sections(found)[0].blocks[2]
    assert isinstance(table, Table) and "group" in table.columns
    assert next(one for one in data["neighbours"] if one["a"] == "q")["value"] is None


def test_a_model_that_is_never_beaten_is_regularised_and_said() -> None:
    found = rate(played(*["p>q", "p>r", "q>r", "r>q"] * 10), RateWanted(rounds=20))
    assert "regularised" in found.found.point.note
    assert math.isfinite(found.found.estimates[0].value)


def test_few_prompts_give_win_rates_instead_of_ranks() -> None:
    found = rate(played("p>q", "q>r", "r>p"), RateWanted(rounds=20))
    assert {rank.point for rank in found.ranks} == {None}
    assert len(found.pairs) == 3
    assert "pairwise win rates" in found.found.point.note


def test_unscored_and_self_pairs_are_counted() -> None:
    data = as_data(rate(played("p>q", "p?q", "p>p", "q>p"), RateWanted(rounds=5)))
    assert (data["votes"], data["unscored"], data["self_pairs"]) == (2, 1, 1)


def test_runs_with_a_baseline_are_votes(write_run: Callable[..., Any], plugins: Catalogue) -> None:
    base = {"roles": {"candidate": [{"spec": "m/x"}], "baseline": [{"spec": "m/y"}]}}
    values = [1.0, 0.75, 0.5, 0.0, Unscored("unparsed"), None]
    place = write_run("pairs", lambda i, t: {"kept": True, "win": values[i % 6]}, n=12, **base)
    raw = read_votes([str(place)], plugins=plugins)
    assert [one.winner for one in raw.votes[:6]] == ["a", "a", "tie", "b", None, None]
    assert ({(one.a, one.b) for one in raw.votes}, raw.votes[0].prompt) == ({("m/x", "m/y")}, "s0")
    plain = write_run("plain", lambda i, t: {"kept": True})
    with pytest.raises(ConfigError, match="candidate against a baseline"):
        read_votes([str(plain)], plugins=plugins)
    graded = write_run("graded", lambda i, t: {"grade": 1.0}, task="tiny/macro", **base)
    with pytest.raises(ConfigError, match="no task with a win rate"):
        read_votes([str(graded)], plugins=plugins)


@given(st.text(max_size=8), st.text(min_size=1, max_size=4), st.text(min_size=1, max_size=4))
def test_a_winner_is_known_or_an_error_never_a_guess(value: str, a: str, b: str) -> None:
    try:
        found = winner_of(value, a, b, "x")
    except DataError:
        return
    assert found in ("a", "b", "tie", "both-good", "both-bad", None)
    if found is None:
        assert not value.strip()
