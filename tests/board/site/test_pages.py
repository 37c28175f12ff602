"""Building a site: who is ranked, what it costs, and what stops it."""

import json
from pathlib import Path

import numpy as np
import pytest

from suite.board.entry import read_entry
from suite.board.repository.shelves import open_repository
from suite.board.site.pages import build_site
from suite.errors import DataError
from tests.board import accepted
from tests.board.pages import soup, table


def test_an_entry_of_an_older_definition_holds_no_rank_of_this_one(tmp_path: Path) -> None:
    old = accepted.board(tmp_path, 1, candidate={"max_tokens": 9999})
    accepted.entry(tmp_path, old, 1, accepted.scores(1, 1, 24, 1.0))
    text = (tmp_path / "boards/b/board.yaml").read_text()
    new = accepted.board(tmp_path, 1, version="2.0.0")
    accepted.entry(tmp_path, new, 2, accepted.scores(2, 1, 24, 0.5))
    build_site(open_repository(tmp_path), tmp_path / "one")
    assert [row["model"].find("a").text for row in table(soup(tmp_path / "one/index.html"))] == ["Model 002"]  # type: ignore[union-attr]
    assert "Model 001" in soup(tmp_path / "one/history.html").text
    (tmp_path / "boards/b/history").mkdir()
    (tmp_path / "boards/b/history/1.0.0.yaml").write_text(text)
    build_site(open_repository(tmp_path), tmp_path / "two")
    frozen = soup(tmp_path / "two/v/1.0.0/index.html")
    assert [row["model"].find("a").text for row in table(frozen)] == ["Model 001"]  # type: ignore[union-attr]
    assert "frozen" in frozen.text
    assert soup(tmp_path / "two/index.html").find("a", href="v/1.0.0/index.html")


@pytest.mark.parametrize(
    ("rules", "verification", "said"),
    [
        ({"min_trust": "L3"}, {}, "trust L1 is below L3"),
        ({"types": ["standard"]}, {"class": "custom"}, "custom entries are not taken"),
        ({"contamination": "exclude"}, {}, "declared exposure to family/task-0"),
        ({"max_age_days": 1}, {}, "more than 1 days"),
        ({"max_age_days": 1}, {"made": "2031-01-01T00:00:00Z"}, "days after it was accepted"),
        ({}, {"verdict": "incomplete"}, "verdict: incomplete"),
    ],
)
def test_who_is_not_eligible_is_shown_unranked_with_the_reason(
    tmp_path: Path, rules: dict[str, object], verification: dict[str, object], said: str
) -> None:
    made = accepted.board(tmp_path, 1, eligibility=rules)
    declared: dict[str, object] = {"disclosure": {"contamination": {"family/task-0": "evaluation_data"}}}
    if day := verification.pop("made", None):
        declared["created"] = day
    values = accepted.scores(0, 1, 24, 0.5)
    accepted.entry(tmp_path, made, 5, values, submission=declared, verification=verification)
    build_site(open_repository(tmp_path), tmp_path / "site")
    page = "custom.html" if verification.get("class") else "index.html"
    row = table(soup(tmp_path / "site" / page))[0]
    assert said in row["model"].text
    assert row["rank"].text == "–"


def test_prices_make_costs_and_the_judges_family_is_marked(tmp_path: Path) -> None:
    judged = [{"task": "f/t", "version": 1, "roles": {"judge": {"spec": "vllm/Org/Model-70B"}}}]
    made = accepted.board(tmp_path, tasks=judged)
    accepted.entry(tmp_path, made, 1, accepted.scores(0, 1, 24, 0.5))
    (tmp_path / "boards/b/prices.yaml").write_text(
        "format: suite-prices/1\nprices:\n"
        "- {model: lab/model-1, since: '2026-01-01', prompt: 2, completion: 4, source: 'https://example.org'}\n"
        "- {model: lab/model-1, since: '2026-09-01', prompt: 9, completion: 9, source: 'https://example.org'}\n"
    )
    build_site(open_repository(tmp_path), tmp_path / "site")
    found = json.loads((tmp_path / "site/data.json").read_text())["entries"][0]
    assert found["cost"] == pytest.approx((1000 * 2 + 500 * 4) / 1e6)
    assert found["cost_per_sample"] == pytest.approx(found["cost"] / 24)
    assert "judge of its own family" in (tmp_path / "site/index.html").read_text()


def test_several_boards_have_a_page_that_lists_them(tmp_path: Path) -> None:
    accepted.repository(tmp_path, 2)
    other = (tmp_path / "boards/b/board.yaml").read_text().replace("id: b", "id: c")
    (tmp_path / "boards/c").mkdir()
    (tmp_path / "boards/c/board.yaml").write_text(other)
    build_site(open_repository(tmp_path), tmp_path / "site")
    page = soup(tmp_path / "site/index.html")
    links = [str(a["href"]) for a in page.select("tbody a")]
    assert links == ["b/index.html", "c/index.html"]
    assert soup(tmp_path / "site/c/index.html").find("a", href="../index.html")


@pytest.mark.parametrize("what", ["verification.json", "submission.json", "entry.yaml", "per_sample.parquet"])
def test_a_damaged_entry_stops_the_build_and_is_named(tmp_path: Path, what: str) -> None:
    made = accepted.board(tmp_path, 1)
    accepted.entry(tmp_path, made, 0, accepted.scores(0, 1, 24, 0.5))
    folder = next((tmp_path / "submissions/b").iterdir())
    path = folder / what
    path.write_bytes(path.read_bytes()[:-9] + b"x" * 9)
    with pytest.raises(DataError) as caught:
        build_site(open_repository(tmp_path), tmp_path / "site")
    assert folder.name in str(caught.value)
    assert not (tmp_path / "site").exists()


def test_samples_that_do_not_give_the_verified_number_stop_the_build(tmp_path: Path) -> None:
    made = accepted.board(tmp_path, 1)
    accepted.entry(tmp_path, made, 0, accepted.scores(0, 1, 24, 0.5))
    folder = next((tmp_path / "submissions/b").iterdir())
    told = json.loads((folder / "verification.json").read_text())
    told["columns"][0]["value"] += 0.1
    (folder / "verification.json").write_text(json.dumps(told))
    read_entry(folder)
    with pytest.raises(DataError, match="the samples give"):
        build_site(open_repository(tmp_path), tmp_path / "site")


def test_entries_whose_unscored_samples_lost_their_stratum_are_still_paired(tmp_path: Path) -> None:
    from suite.board.rank.sample_tables import read_columns

    made = accepted.board(tmp_path, 1)
    values = accepted.scores(0, 1, 24, 0.5)
    under = np.ones_like(values)
    under[0, 4] = 0
    for number, bottom in enumerate((np.ones_like(values), under)):
        accepted.entry(tmp_path, made, number, values, bottom=bottom)
    entries = open_repository(tmp_path)[0].entries()
    import msgspec
    import pyarrow.parquet as pq

    for number, entry in enumerate(entries):
        rows = pq.read_table(entry.folder / "per_sample.parquet").to_pydict()
        rows["stratum"] = ["even" if i % 2 == 0 else "odd" for i in range(24)]
        if number:
            rows["stratum"][4] = ""
        order = sorted(range(24), key=lambda i: (rows["stratum"][i], i))
        import pyarrow as pa

        table_ = pa.table({name_: [column[i] for i in order] for name_, column in rows.items()})
        pq.write_table(table_, entry.folder / "per_sample.parquet")
    verified = []
    for entry in entries:
        rows = pq.read_table(entry.folder / "per_sample.parquet").to_pydict()
        ratio = []
        for stratum in ("even", "odd"):
            inside = [i for i in range(24) if rows["stratum"][i] == stratum]
            ratio.append(sum(rows["top"][i] for i in inside) / sum(rows["bottom"][i] for i in inside))
        found = entry.verification.columns[0]
        columns = [msgspec.structs.replace(found, value=sum(ratio) / 2)]
        told = msgspec.structs.replace(entry.verification, columns=columns)
        verified.append(msgspec.structs.replace(entry, verification=told))
    column = read_columns(["family/task-0"], verified)[0]
    assert column.units is not None
    assert not column.why
    assert len(column.units.cell) == 2


def test_exposure_is_declared_by_dataset_and_shown_by_column() -> None:
    from suite.board.define.board import find_board
    from suite.board.rank.state import datasets_of, exposure

    board = find_board("mini")
    datasets = datasets_of(board)
    assert datasets["prefeval/generation"] == datasets["prefeval/classification"] == ("prefeval-mini",)
    known = dict.fromkeys({name_ for names in datasets.values() for name_ in names}, "none_known")
    assert set(exposure(board, datasets, known).values()) == {"none_known"}
    found = exposure(board, datasets, {**known, "prefeval-mini": "train_split"})
    assert [key for key, value in found.items() if value == "train_split"] == [
        "prefeval/classification",
        "prefeval/generation",
    ]
    assert set(exposure(board, datasets, {}).values()) == {"unknown"}
    by_column = exposure(board, datasets, {**known, "rag-rewardbench": "unknown"})
    assert by_column["rag-rewardbench"] == "unknown"


def test_ticks_are_round_and_hold_what_is_drawn() -> None:
    from suite.board.site.figures import nice

    assert nice(0.13, 0.87) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert nice(1.0 - 1e-16, 1.0) == [1.0 - 1e-16]
    for low, high in ((-3.0, 17.0), (0.001, 0.0013), (1e6, 2e6)):
        ticks = nice(low, high)
        assert ticks[0] <= low
        assert ticks[-1] >= high
        assert len(ticks) <= 9
