"""In strict mode no comment excuses a program from an instruction, whatever it says and wherever."""

import pytest
import suite_vibechecker.vericode as vericode
from hypothesis import given, settings
from hypothesis import strategies as st
from suite_vibechecker.vericode import Item, check_many
from suite_vibechecker.vericode.directives import neutral

LINTER = vericode.open_linter()
UNSORTED = "import sys\nimport os\n"
LONG = "value = 'a text that goes on for quite a while'  "
SORTING = [
    "# isort: skip_file",
    "# isort:skip_file",
    "#isort:skip_file",
    "# ISORT: SKIP_FILE",
    "# isort: off",
    "# ruff: isort: skip_file",
    "# ruff: isort: off",
    "# ruff:isort:skip_file",
    "# ruff: noqa",
    "# ruff: noqa: I001",
    "# RUFF: NOQA",
    "# flake8: noqa",
    "# flake8:noqa: I001",
    "# text # isort: skip_file",
    "# fmt: off",
    "# yapf: disable",
    "#\tisort: skip_file",
    "# isort:\tskip_file",
]
AT_LINE = [
    "# isort: skip",
    "# isort:skip",
    "# noqa",
    "#noqa",
    "# NOQA:I001",
    "# noqa : I001",
    "# isort: split",
]
ENDS = [
    "# noqa",
    "# noqa: E501",
    "# type: ignore",
    "# type: ignore[assignment]",
    "# pylint: disable=line-too-long",
    "# pyright: ignore",
    "# flake8: noqa",
    "# ruff: noqa",
    "# nosec",
    "# isort: skip",
    "# mypy: ignore",
    "# fmt: skip",
    "#noqa:E501",
    "# NoQA",
    "#\tnoqa",
]


def strict(code: str, name: str, **parameters: int) -> bool | None:
    return check_many([Item(code, code, name, parameters, "strict")], linter=LINTER)[0].followed


@pytest.mark.parametrize("comment", SORTING)
def test_sorting_is_checked_in_spite_of_a_comment(comment: str) -> None:
    for code in (f"{comment}\n{UNSORTED}", f"{UNSORTED}{comment}\n", f'"""Text."""\n{comment}\n{UNSORTED}'):
        assert strict(code, "style_2") is False, code


@pytest.mark.parametrize("comment", AT_LINE)
def test_sorting_is_checked_in_spite_of_a_comment_at_the_line(comment: str) -> None:
    first, second = UNSORTED.splitlines()
    for code in (f"{first}  {comment}\n{second}\n", f"{first}\n{second}  {comment}\n"):
        assert strict(code, "style_2") is False, code


@pytest.mark.parametrize("comment", ENDS)
def test_a_long_line_is_long_whatever_it_ends_with(comment: str) -> None:
    assert strict(f"{LONG}{comment} {'x' * 40}\n", "style_3", line_length=79) is False
    assert strict(f"{LONG + LONG!r}  {comment}\n", "style_3", line_length=79) is False


def test_a_block_of_a_script_is_no_excuse_for_long_lines() -> None:
    block = f"# /// script\n# dependencies = [{'x, ' * 40}]\n# ///\nprint(1)\n"
    assert strict(block, "style_3", line_length=79) is False


def test_a_text_that_looks_like_a_comment_stays() -> None:
    code = 'x = \'# isort: skip_file\'\ny = """\n# noqa\n"""\n'
    assert neutral(code) == code


def test_a_program_without_such_comments_stays() -> None:
    code = "import os  # for paths\n\n\ndef f(x):  # of type int\n    return os.path.join(x)\n"
    assert neutral(code) == code


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from([*SORTING, *ENDS, "x = 1", '"' * 3, "(", "", "\f", "\\"]), max_size=8).map(
        "\n".join
    )
)
def test_lines_keep_their_lengths(code: str) -> None:
    assert [len(line) for line in neutral(code).split("\n")] == [len(line) for line in code.split("\n")]
    assert neutral(neutral(code)) == neutral(code)


def test_official_verdicts_heed_comments() -> None:
    code = f"# isort: skip_file\n{UNSORTED}"
    assert check_many([Item(code, code, "style_2")], linter=LINTER)[0].followed is True


@pytest.mark.parametrize("name", ["style_2", "doc_4", "doc_5", "logic_1"])
def test_a_byte_order_mark_is_no_part_of_a_program(name: str) -> None:
    code = "\ufeffimport sys\n\nprint(sys.argv)\n"
    assert strict(code, name) is True
