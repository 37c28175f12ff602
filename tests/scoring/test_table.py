"""The table of scores: exact, streamed, small."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from suite.journal.index import digest64
from suite.journal.records import OutputRecord, ScoreRecord
from suite.scoring.table import (
    LABEL,
    NOT_APPLICABLE,
    OVERFLOW,
    SCORED,
    UNSCORED,
    ColumnBuilder,
    TableBuilder,
    TagBuilder,
    Wanted,
)
from suite.task import Output, Part, Unscored, Value
from tests.scoring.measuring import table_of

Make = Callable[..., tuple[OutputRecord, ScoreRecord]]
EVERYTHING = slice(None)


def expected(value: Value, labels: list[str]) -> tuple[float, int]:
    if isinstance(value, str):
        if value not in labels:
            labels.append(value)
        return float(labels.index(value)), LABEL
    if value is None:
        return 0.0, NOT_APPLICABLE
    if isinstance(value, Unscored) or not np.isfinite(value):
        return 0.0, UNSCORED
    return float(value), SCORED


VALUES = st.one_of(
    st.booleans(),
    st.floats(),
    st.integers(-3, 300),
    st.none(),
    st.just(Unscored("x")),
    st.text(max_size=2),
)


@given(st.integers(0, 3), st.lists(VALUES, max_size=40))
def test_a_column_gives_back_what_was_put_in(late: int, values: list[Value]) -> None:
    builder = ColumnBuilder(late)
    for value in values:
        builder.add(value)
    column = builder.build()
    labels: list[str] = []
    wanted = [(0.0, NOT_APPLICABLE)] * late + [expected(value, labels) for value in values]
    data, state = column.take(EVERYTHING)
    assert list(zip(data.tolist(), state.tolist(), strict=True)) == wanted
    assert column.labels == tuple(labels)


def test_many_labels_widen_a_column() -> None:
    builder = ColumnBuilder(0)
    for i in range(600):
        builder.add(f"label {i % 300}")
    data, state = builder.build().take(EVERYTHING)
    assert data.tolist() == [i % 300 for i in range(600)]
    assert set(state.tolist()) == {LABEL}


def test_a_tag_with_endless_categories_stays_bounded() -> None:
    builder = TagBuilder()
    for i in range(10_200):
        builder.add(str(i))
    codes = builder.build()
    assert len(codes.categories) == 10_002
    assert codes.categories[codes.codes[-1]] == OVERFLOW
    assert codes.categories[codes.codes[300]] == "300"


def test_rows_tags_clusters_and_parts(record: Make) -> None:
    parts = [Part("a", {"ok": True}, {"kind": "x"}), Part("b", {"ok": Unscored("cut")})]
    table = table_of(
        [
            record("s1", {"kept": True}, tags={"topic": "food"}, parts=parts),
            record("s2", {"kept": Unscored("unparsed")}, cluster="k", cell="d"),
            record("s2", {"kept": 0.5, "late": False}, cluster="k", trial=2),
        ]
    )
    assert table.cells == ("c", "d")
    assert (table.rows("c").tolist(), table.rows("nowhere").tolist()) == ([0, 2], [])
    assert table.trial is not None
    assert table.trial.tolist() == [0, 0, 2]
    assert table.sample.tolist() == [digest64("s1"), digest64("s2"), digest64("s2")]
    assert table.cluster.tolist() == [digest64("s1"), digest64("k"), digest64("k")]
    topic = table.tags["topic"]
    assert [topic.categories[code] for code in topic.codes] == ["food", "", ""]
    assert table.values["late"].take(EVERYTHING)[1].tolist() == [NOT_APPLICABLE, NOT_APPLICABLE, SCORED]
    assert table.parts.owner.tolist() == [0, 0]
    assert table.parts.values["ok"].take(EVERYTHING)[1].tolist() == [SCORED, UNSCORED]
    assert table.values["kept"].take(EVERYTHING)[1].tolist() == [SCORED, UNSCORED, SCORED]


def test_only_what_metrics_read_is_kept(record: Make) -> None:
    builder = TableBuilder(Wanted(frozenset({"kept"}), frozenset()))
    builder.add(*record("s", {"kept": True, "other": 3.5}, parts=[Part("a", {"ok": True})]))
    table = builder.build()
    assert set(table.values) == {"kept"}
    assert len(table.parts) == 0


def test_a_number_that_is_none_is_unscored(record: Make) -> None:
    table = table_of([record("s", {"x": float("nan")}), record("t", {"x": 1e400})])
    assert table.values["x"].take(EVERYTHING)[1].tolist() == [UNSCORED, UNSCORED]


def test_a_table_of_200000_samples_takes_a_few_megabytes() -> None:
    def stream() -> Any:
        for i in range(200_000):
            name = f"sample-{i}"
            tags = {"topic": f"topic {i % 20}"}
            yield (
                OutputRecord(
                    cell="c",
                    sample=name,
                    group=name,
                    cluster=name,
                    tags=tags,
                    payload_sha256="",
                    output=Output(),
                ),
                ScoreRecord(
                    cell="c",
                    sample=name,
                    output_sha256="",
                    values={"kept": i % 3 > 0, "kept_official": i % 3 > 1},
                ),
            )

    tracemalloc.start()
    table = table_of(stream())
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(table) == 200_000
    assert held < 3_000_000
    assert peak < 6_000_000
