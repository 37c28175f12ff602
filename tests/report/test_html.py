"""The page: complete, valid with whatever a model wrote, closed to the outside, bounded in size."""

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suite.report.html import html_report, policy
from suite.report.html_blocks import resource
from suite.report.viewer.embedding import viewer_script, viewer_style

Make = Callable[..., Path]
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!-- --!> <![CDATA[ ]]> </style><style>*{display:none}",
    "\x1b[2J\x1b]8;;http://x\x07 \0 \x85 \x9b",
    "\u202e\u2066 \u200f abc \u2069",
    "'\"` onmouseover=alert(1) {{7*7}} {% raw %} &amp; &#x3c;",
    "x" * 1_000_000,
    "line\n" * 3_000,
    "",
]


def built(folder: Path, **options: Any) -> str:
    return "".join(html_report(folder, **options))


def test_everything_a_reader_needs_is_on_the_page(make_run: Make, page: Any) -> None:
    text = page(built(make_run(samples=30, limit=30))).text
    for words in (
        "95 % interval", "unscored", "coverage (bounds)", "pending", "beta", "kept against inter_turns",
        "kept by topic", "Further metrics", "protocol: paper", "prompts: own", "index: bm25 0.3",
        "Left out: method=rag: too few messages", "Partial: 30 of 120 groups", "judge-unparsed", "status-429",
        "Samples", "manifest.json", "completion tokens", "Prompts are our own wording.",
    ):  # fmt: skip
        assert words in text, words


def test_only_its_own_style_and_script_apply(make_run: Make, page: Any) -> None:
    found = page(built(make_run()))
    header = next(attrs["content"] for tag, attrs in found.elements if "http-equiv" in attrs)
    script, style = viewer_script(), resource("report.css") + viewer_style()
    assert script in found.bodies["script"]
    assert found.bodies["style"] == [style]
    for kind, text in (("script", script), ("style", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in header
    assert header.startswith("default-src 'none'; ")
    assert "unsafe" not in header
    assert header == policy(style, script)


def test_the_page_asks_for_nothing_and_runs_nothing_inline(make_run: Make, page: Any) -> None:
    found = page(built(make_run()))
    names = {name for _, attrs in found.elements for name in attrs}
    assert not names & {"style", "src", "srcset", "action", "background", "poster", "data"}
    assert not [name for name in names if name.startswith("on")]
    assert all(target.startswith("#") for target in found.attributes("href"))
    assert not {"iframe", "img", "link", "object", "base", "form"} & {tag for tag, _ in found.elements}
    assert "@import" not in found.bodies["style"][0]
    assert "url(" not in found.bodies["style"][0]
    assert "innerHTML" not in viewer_script()


def test_ids_are_unique_and_links_lead_somewhere(make_run: Make, page: Any) -> None:
    found = page(built(make_run()))
    ids = found.attributes("id")
    assert len(ids) == len(set(ids))
    assert {target[1:] for target in found.attributes("href")} <= set(ids)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_answers_ids_and_notes(make_run: Make, page: Any, text: str) -> None:
    short = text[:300]
    folder = make_run(
        text=lambda c, s: text, tag=lambda s: short or "-", note=short, samples=2, pending=0, turns=(0, 3),
        candidate=f"vllm/{short}",
    )  # fmt: skip
    html = built(folder)
    found = page(html)
    scripts = [attrs for tag, attrs in found.elements if tag == "script"]
    assert [one for one in scripts if "type" not in one] == [{}]  # of all others nothing runs
    assert not re.search("[\x00\x07\x08\x0b-\x0f\x1a\x1b\x7f-\x9f\u202a-\u202e\u2066-\u2069]", html)
    read = re.sub('(<script type="text/plain" [^>]*>)[^<]*', "", html)  # but for samples, which are packed
    assert not re.search("[\x00-\x08\x0b-\x1f]", read)
    assert len(html) - len(read) > 1_000
    assert not [name for _, attrs in found.elements for name in attrs if name.startswith("on")]
    assert len(html) < 2_000_000


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(max_size=200), number=st.integers(0, 10**9))
def test_any_answer_gives_a_valid_page(make_run: Make, page: Any, text: str, number: int) -> None:
    folder = make_run(
        text=lambda c, s: text,
        samples=1,
        pending=0,
        turns=(0,),
        methods=("a",),
        name=f"run-{number}-{len(text)}",
    )
    try:
        page(built(folder))
    finally:
        for path in sorted(folder.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()


def test_a_run_without_scores_or_outputs_is_a_page_too(make_run: Make, page: Any) -> None:
    assert "Not scored yet" in page(built(make_run(scored=False))).text
    page(built(make_run(scored=False, samples=0, name="empty")))


def test_the_same_run_gives_the_same_bytes(make_run: Make) -> None:
    folder = make_run()
    assert built(folder) == built(folder)


def test_a_single_cell_is_a_large_number_and_no_plot(make_run: Make, page: Any) -> None:
    found = page(built(make_run(turns=(0,), methods=("plain",))))
    classes = found.attributes("class")
    assert classes.count("value") == 2
    assert "chart" not in classes
    assert "bar" in classes


def test_categories_have_their_intervals_drawn_in_the_table(make_run: Make, page: Any) -> None:
    found = page(built(make_run(turns=(0,), methods=("plain", "remind"))))
    assert "chart" not in found.attributes("class")
    drawn = [attrs for tag, attrs in found.elements if tag == "svg" and attrs.get("class") == "bar"]
    assert len(drawn) == 3  # the two cells of one task, and that of the other
