"""The page of a comparison in Chromium: four looks, axe-core, keys, every pair, print, hostile names."""

from collections.abc import Callable
from pathlib import Path

import pytest
from chromium import CHROMIUM, browser
from inspections import inspect_page

from suite.comparisons.comparison import compare_runs
from suite.comparisons.sections import sample_pairs, sections
from suite.plugins import Catalogue
from suite.report.compare_page import html_page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
HOSTILE = "</script><img src=x onerror=document.title='owned'>\u202e" + "long-" * 40
READY = "document.querySelectorAll('.sv-ready').length === 3"
LEGENDS = """[...document.querySelectorAll('.sv-legend')].map(
  (one) => [...one.children].map((side) => side.textContent.slice(0, 10)))"""


@pytest.fixture
def three(write_run: Callable[..., Path], plugins: Catalogue, tmp_path: Path) -> Path:
    """A page of three runs of two cells, with hostile names."""
    places = []
    for number, name in enumerate("abc"):
        scores = lambda i, t, number=number: {"kept": (i * 7 + number * 3) % 10 > 3}  # noqa: E731
        roles = {"candidate": [{"spec": f"openai/{name}{HOSTILE}"}]}
        cells = [("tiny/one", {"turns": turns, "note": HOSTILE}, scores) for turns in (0, 1)]
        places.append(str(write_run(name, cells=cells, roles=roles)))
    found = compare_runs(places, None, plugins)
    path = tmp_path / "compare.html"
    pieces = html_page("A, B and C", "Comparison", sections(found, read=False), sample_pairs(found))
    path.write_text("".join(pieces), "utf-8")
    return path


async def test_a_comparison_can_be_read_everywhere(three: Path, tmp_path: Path) -> None:
    async with browser(tmp_path / "profile") as page:
        await inspect_page(page, three, "comparison", act=lambda one: one.until(READY))
        assert await page.run("document.title") == "A, B and C"
        assert await page.run(LEGENDS) == [["A openai/a", "B openai/b"], ["A openai/a", "B openai/c"],
                                           ["A openai/b", "B openai/c"]]  # fmt: skip
        await page.look(width=794, height=1123, paper=True)
        zero = "document.querySelector('.dots .zero').getBoundingClientRect().height"
        assert await page.run(zero) > 10
        assert page.said == []
