"""Our reading of tags against BeautifulSoup's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suite_prefeval import markup

bs4 = pytest.importorskip("bs4")

TAGS = ["<answer>", "</answer>", "<Answer >", "<choice>", "</choice>", "<b>", "</b>", "<br>", "<br/>"]
ODDITIES = ["<choice/>", "</", "<", ">", "x < y", "a<b", "<!-- c -->", "<answer x='1'>", "</i>", "<p>", '"']
WORDS = ["Yes", "No", " ", "\n", "A", "B", "&", "&amp;", "&lt", "&#65;", "&nosuch;", "é"]
PIECES = st.sampled_from([*TAGS, *ODDITIES, *WORDS])


@settings(max_examples=600, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from(["answer", "choice", "b", "p"]))
def test_text_and_string_equal_beautifulsoups(reply: str, name: str) -> None:
    theirs = bs4.BeautifulSoup(reply, "html.parser").find(name)
    ours = markup.first(reply, name)
    assert (ours is None) == (theirs is None)
    if ours is not None:
        assert ours.text == theirs.text
        assert ours.string == theirs.string


@given(st.text())
def test_any_text_can_be_read(reply: str) -> None:
    assert markup.first_text(reply, "answer") == "" or "<" in reply


def test_an_unclosed_tag_holds_the_rest() -> None:
    assert markup.first_text("<preference>likes tea <answer>Yes", "preference") == "likes tea Yes"
