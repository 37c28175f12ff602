"""Two sources in the viewer: pairs of their samples, most telling first."""

from pathlib import Path

import pytest
from chromium import CHROMIUM, Page
from inspections import inspect_page

from tests.browser.viewer_pages import Made, write_page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
IDS = "[...document.querySelectorAll('.sv-row .sv-id')].map((one) => one.textContent)"
CHIPS = "[...document.querySelectorAll('.sv-row-head .sv-chip')].map((one) => one.textContent)"
SIDES = "!!document.querySelector('.sv-sides')"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A keeps samples 0 and 1, B 1 and 2; B has no sample 3; neither keeps 4, which is cut off in one."""
    a = Made(samples=5, cells=("",), label="A run", kept=lambda cell, sample: sample in (0, 1))
    b = Made(samples=3, cells=("",), label="B run", kept=lambda cell, sample: sample in (1, 2))
    folder = tmp_path_factory.mktemp("pairs")
    return write_page(folder / "page.html", {"a": a, "b": b}, pairs="0:0").as_uri()


async def test_a_page_of_pairs_keeps_what_every_page_promises(page: Page, address: str) -> None:
    await inspect_page(page, f"{address}#sample=pets/1", "viewer-pairs", act=lambda page: page.until(SIDES))


async def test_the_most_telling_pairs_come_first(page: Page, address: str) -> None:
    await page.open(address)
    await page.until(f"{IDS}.length === 5")
    assert await page.run(IDS) == ["travel/0", "travel/2", "pets/1", "pets/3", "travel/4"]
    assert await page.run(CHIPS) == ["A better", "B better", "same", "one lacks", "one lacks"]


async def test_pairs_are_filtered_by_who_is_better(page: Page, address: str) -> None:
    await page.open(address + "#f.better=b")
    await page.until(f"{IDS}.length === 1")
    assert await page.run(IDS) == ["travel/2"]


async def test_both_answers_stand_side_by_side(page: Page, address: str) -> None:
    await page.open(address + "#sample=travel/2")
    await page.until(SIDES)
    names = await page.run(
        "[...document.querySelectorAll('.sv-side-name')].slice(0, 2).map((one) => one.textContent)"
    )
    assert names == ["A · A run", "B · B run"]


async def test_a_pair_of_one_side_shows_it(page: Page, address: str) -> None:
    await page.open(address + "#sample=pets/3")
    await page.until("!!document.querySelector('.sv-values')")
    assert "Only A · A run has this sample." in await page.run(
        "document.querySelector('.sv-body').textContent"
    )


async def test_runs_without_common_samples_say_so(page: Page, tmp_path: Path) -> None:
    path = write_page(tmp_path / "page.html", {"a": Made(cells=("x", "y")), "b": Made(cells=("v", "w"))})
    await page.open(path.as_uri())
    said = "document.querySelector('.suite-viewer').textContent"
    await page.until(f"{said}.includes('No sample of one')")


async def test_two_viewers_of_a_page_share_its_address_and_keys(page: Page, tmp_path: Path) -> None:
    path = write_page(tmp_path / "page.html", {"run": Made(samples=3)})
    text = path.read_text("utf-8")
    first = text[text.index('<div class="suite-viewer"') : text.index("</main>")]
    path.write_text(text.replace(first, first * 2), "utf-8")
    await page.open(path.as_uri())
    titles = "[...document.querySelectorAll('.sv-sample-title')].map((one) => one.textContent)"
    await page.until(f"{titles}.length === 2")
    await page.run("document.querySelectorAll('.sv-list')[1].focus()")
    await page.press("End")
    await page.until(f"{titles}[1] === 'travel/2'")
    assert await page.run(titles) == ["travel/0", "travel/2"]
    link = await page.run("location.href")
    await page.open(link)
    await page.until(f"{titles}[1] === 'travel/2'")
    await page.press("j")
    await page.until(f"{titles}[0] === 'travel/0'")
