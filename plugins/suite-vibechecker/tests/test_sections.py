from suite_vibechecker.sections import Answer, Cell, Checked, section

import suite

GOOD = Checked("style_3", True, True, True)
BAD = Checked("doc_1", False, True, False)
CELLS = [
    Cell("multi", 2, (Answer(True, (GOOD, GOOD)), Answer(False, (GOOD, BAD)))),
    Cell("single", 0, (Answer(True), Answer(True))),
    Cell("single", 1, (Answer(True, (GOOD,)), Answer(False, (BAD,)))),
]


def test_a_cell_row_has_both_ways_of_following_and_the_regression() -> None:
    table = section(CELLS).blocks[0]
    assert isinstance(table, suite.Table)
    assert list(table.rows) == [
        ("base", 0, 2, None, None, None, None, 100.0, None, 100.0),
        ("single turn", 1, 2, 50.0, 50.0, 100.0, 100.0, 50.0, 50.0, 50.0),
        ("multi turn", 2, 2, 75.0, 50.0, 100.0, 100.0, 50.0, 50.0, 50.0),
    ]


def test_curves_have_a_line_a_protocol_and_passing_starts_at_the_base() -> None:
    plots = [block for block in section(CELLS).blocks if isinstance(block, suite.Plot)]
    drawn = [[(line.name, list(line.points)) for line in plot.lines] for plot in plots]
    assert drawn == [
        [("single turn", [(1.0, 50.0)]), ("multi turn", [(2.0, 50.0)])],
        [("single turn", [(0.0, 100.0), (1.0, 50.0)]), ("multi turn", [(0.0, 100.0), (2.0, 50.0)])],
    ]


def test_categories_worst_instructions_and_positions() -> None:
    tables = {block.title: block for block in section(CELLS).blocks if isinstance(block, suite.Table)}
    assert list(tables["By category"].rows) == [
        ("Coding Style & Conventions", 1, 100.0, 100.0, 3, 100.0, 100.0),
        ("Documentation & Commenting", 1, 0.0, 0.0, 1, 0.0, 0.0),
    ]
    assert [row[0] for row in tables["Followed least"].rows] == ["doc_1", "style_3"]
    assert list(tables["By position (%)"].rows) == [
        ("single turn k=1", 50.0, None),
        ("multi turn k=2", 100.0, 50.0),
    ]


def test_the_base_question_alone_is_one_table() -> None:
    assert len(section([CELLS[1]]).blocks) == 1


def test_every_row_is_as_wide_as_its_head() -> None:
    for block in section(CELLS).blocks:
        if isinstance(block, suite.Table):
            assert {len(row) for row in block.rows} == {len(block.columns)}
