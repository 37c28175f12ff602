"""Every typed block, drawn three ways; nothing a plugin or model writes can become markup or style."""

import io
import math
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suite.blocks import Block, Code, Dialogue, Facts, Finding, Line, Plot, Section, Table, Text, Turn
from suite.report import markdown, plots, terminal_sample
from suite.report.compare_page import print_sections
from suite.report.html_blocks import Drawer
from suite.report.terminal import printing
from suite.scoring.stats.estimate import Estimate

WORDS = st.one_of(
    st.text(st.characters(codec=None), max_size=40),
    st.sampled_from(
        ["</script><script>alert(1)</script>", "<!--", "]]>", "\x1b[2J", "\0", "\u202e", "\ud800", "$\\frac{",
         "x" * 30_000, "&#0;", "' onload='x", '" style="color:red', "```\n</div>", "| a |\n|---|",
         "- [x] @all"]
    ),
)  # fmt: skip
CELLS = st.one_of(WORDS, st.floats(), st.integers(), st.booleans(), st.none())
NUMBERS = st.one_of(st.floats(), st.integers(-5, 5).map(float))
LINES = st.builds(
    Line,
    WORDS,
    st.lists(st.tuples(NUMBERS, NUMBERS), max_size=5),
    st.lists(st.one_of(st.none(), st.tuples(NUMBERS, NUMBERS)), max_size=5),
)
TABLES = st.lists(WORDS, min_size=1, max_size=4).flatmap(
    lambda columns: st.builds(
        Table,
        st.just(columns),
        st.lists(st.lists(CELLS, min_size=len(columns), max_size=len(columns)), max_size=4),
        WORDS,
    )
)
PLOTS = st.builds(
    Plot,
    st.lists(LINES, max_size=3),
    WORDS,
    WORDS,
    st.sampled_from(["line", "points", "bars", "histogram"]),
    WORDS,
    st.one_of(st.none(), st.tuples(NUMBERS, NUMBERS)),
    st.lists(WORDS, max_size=3),
    st.booleans(),
)
BLOCKS: st.SearchStrategy[Block] = st.one_of(
    st.builds(Text, WORDS, WORDS),
    st.builds(Facts, st.dictionaries(WORDS, CELLS, max_size=4), WORDS),
    TABLES,
    st.builds(
        Code,
        WORDS,
        st.one_of(st.just("python"), WORDS),
        st.lists(st.builds(Finding, st.integers(-3, 9), WORDS), max_size=3),
        WORDS,
    ),
    st.builds(
        Dialogue, st.lists(st.builds(Turn, WORDS, WORDS, st.lists(WORDS, max_size=2)), max_size=3), WORDS
    ),
)
EXAMPLES: list[Block] = [
    Text("one\ntwo", "Words"),
    Facts({"passed": True, "share": 0.123456, "none": None}, "Facts"),
    Table(["name", "n"], [["a|b", 3], ["c", None]], "Rows"),
    Plot([Line("a", [(0, 0.1), (1, 0.4)], [(0, 0.2), (0.3, 0.5)])], "turns", "kept", title="Curve"),
    Code("def f():\n    return 1", "python", [Finding(2, "W1 too short")], "Program"),
    Dialogue([Turn("user", "hello", ["first"]), Turn("assistant", "`hi`")], "Talk"),
]
FAST = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def checked(html: str, page: Any) -> Any:
    html.encode("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", html)
    found = page(html)
    assert not {"script", "style", "iframe", "img", "link", "base", "object"} & {
        tag for tag, _ in found.elements
    }
    names = {name for _, attrs in found.elements for name in attrs}
    assert not [name for name in names if name.startswith("on") or name in ("style", "src", "href", "action")]
    return found


@FAST
@given(block=BLOCKS)
def test_hostile_blocks_are_valid_html(block: Block, page: Any) -> None:
    checked(str(Drawer().block(block)), page)


@FAST
@given(plot=PLOTS)
def test_hostile_plots_are_drawn_as_valid_svg(plot: Plot, page: Any) -> None:
    drawn = str(Drawer().block(plot))
    assert drawn == str(Drawer().block(plot))  # the same bytes
    found = checked(drawn, page)
    assert not {"failed"} & set(found.attributes("class"))
    places = [
        str(value)
        for _, attrs in found.elements
        for name, value in attrs.items()
        if name in ("x", "y", "x1", "x2", "y1", "y2", "width", "height")
    ]
    assert all(re.fullmatch(r"-?[0-9.]+(%|em)?|14", place) for place in places)


@FAST
@given(block=BLOCKS)
def test_hostile_blocks_stay_within_their_lines_in_a_terminal(block: Block) -> None:
    out = io.StringIO()
    with printing(out, 60) as console:
        for one in terminal_sample.block(block):
            console.print(one)
    assert not set(out.getvalue()) & {"\x1b", "\x07", "\r", "\0", "\u202e"}
    assert all(len(line) <= 60 for line in out.getvalue().split("\n"))


@FAST
@given(text=WORDS)
def test_markdown_text_has_no_live_markup(text: str) -> None:
    shown = markdown.escaped(text)
    assert "\n" not in shown
    assert not re.search(r"(?<!\\)(?:\\\\)*[`<>|\[\]*~]", shown)
    fenced = markdown.fence(text)
    opening = re.match("`+", fenced)
    assert opening is not None
    inner = fenced.split("\n", 1)[1].rsplit("\n", 1)[0]
    assert opening.group() not in inner


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda one: type(one).__name__)
def test_each_block_shows_its_content(block: Block, page: Any) -> None:
    found = checked(str(Drawer().block(block)), page)
    text = markdown.block(block)
    out = io.StringIO()
    with printing(out, 80) as console:
        for one in terminal_sample.block(block):
            console.print(one)
    expected = {
        Text: ["one", "two", "Words"],
        Facts: ["passed", "yes", "0.123", "–"],
        Table: ["name", "b", "3", "–"],
        Plot: ["turns", "kept", "0.4", "[0.300, 0.500]"],
        Code: ["def", "W1 too short"],
        Dialogue: ["user", "hello", "first", "hi"],
    }[type(block)]
    for word in expected:
        assert word in found.text
        assert word in out.getvalue()
        assert word in text.replace("\\", "")


def test_findings_stand_at_their_lines() -> None:
    html = str(Drawer().block(EXAMPLES[4]))
    first, second = html.split('<li value="2">')
    assert "W1" not in first
    assert "W1 too short" in second


def test_a_plot_has_a_description_and_its_numbers(page: Any) -> None:
    found = page(str(Drawer().block(EXAMPLES[3])))
    chart = next(attrs for _, attrs in found.elements if attrs.get("role") == "img")
    assert chart["aria-label"] == "Curve: kept against turns. a: 0.100 at 0, 0.400 at 1."
    assert "[0.300, 0.500]" in found.text


def test_text_in_a_plot_is_text_even_where_it_looks_like_mathematics(page: Any) -> None:
    numbers = Plot([Line("l", [(0, 1)])], x="cost in $ and $", y="a_b^c")
    names = Plot([Line("l", [(0, 1)])], x_labels=["$\\alpha$"], kind="points")
    shown = page("".join(str(Drawer().block(one)) for one in (numbers, names))).text
    assert all(text in shown for text in ("cost in $ and $", "a_b^c", "$\\alpha$"))


def test_points_without_numbers_are_left_out() -> None:
    plot = Plot([Line("l", [(0, math.nan), (math.inf, 1), (1, 0.5)], [None, None, (math.nan, 1)])])
    (line,) = plots.layout(plot).lines
    assert [spot.ends for spot in line] == [None]


@pytest.mark.parametrize(("kind", "labels", "what"), [("line", (), "chart"), ("points", ("a", "b"), "dots")])
def test_categories_are_rows_and_numbers_an_axis(kind: Any, labels: Any, what: str, page: Any) -> None:
    drawn = Drawer().block(Plot([Line("l", [(0, 0.2), (1, 0.4)])], kind=kind, x_labels=labels))
    assert what in page(str(drawn)).attributes("class")


def test_a_histogram_sums_over_equal_bins() -> None:
    plot = Plot([Line("gaps", [(0, 2), (0.1, 3), (10, 4)])], kind="histogram")
    (bins,) = plots.layout(plot).lines
    heights = [plots.layout(plot).floor - spot.y for spot in bins]
    assert [round(height / heights[0] * 5, 6) for height in heights] == [5, 0, 4]


def test_long_tables_and_texts_say_what_is_left_out() -> None:
    table = str(Drawer().block(Table(["n"], [[i] for i in range(700)])))
    assert "200 more rows are not shown here." in table
    assert "980,000 characters more are not shown here." in str(Drawer().block(Text("x" * 1_000_000)))


def test_a_table_of_rows_by_name_and_a_line_of_numbers_with_their_intervals() -> None:
    table = Table.of([{"name": "a", "share": 0.5}, {"name": "b", "share": None}], "Shares")
    assert table == Table(("name", "share"), [("a", 0.5), ("b", None)], "Shares")
    numbers = [Estimate(0.5, 0.25, 0.75), Estimate(0.5)]
    line = Line("share", [(0.0, 0.5), (1.0, 0.5)], [(0.25, 0.75), None])
    assert Line.of("share", numbers) == line
    assert Line.of("share", numbers, [3, 7]).points == [(3.0, 0.5), (7.0, 0.5)]


def test_sections_are_short_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = (Turn("user", "Which one?\n\nA or B?"), Turn("model", "x" * 1300))
    blocks = (
        Text("One.\nTwo."),
        Facts({"seed": 0}, title="The same"),
        Plot([Line("a", [(0, 1)])], title="Left to the page"),
        Dialogue(turns, title="A sample"),
    )
    out = io.StringIO()
    monkeypatch.setenv("COLUMNS", "2000")
    print_sections("A title", [Section("Read", blocks)], out)
    assert out.getvalue().splitlines() == [
        *("A title", "", "Read", "One.", "Two.", "The same", "  seed: 0"),
        *("A sample", "  user: Which one? A or B?", f"  model: {'x' * 1200}…"),
    ]
