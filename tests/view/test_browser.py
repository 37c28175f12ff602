"""The pages in Chromium, served and as files: what they promise, filters, picks, and runs that grow."""

import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from chromium import CHROMIUM, Page, tab
from inspections import inspect_page

from suite.report.local_site import SiteServer
from suite.view.run_rows import RunListing
from suite.view.site import ViewSite, write_site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
SHOWN = "[...document.querySelectorAll('#runs tbody tr:not([hidden]) a')].map(a => a.textContent)"
CHOOSE = """
(() => { for (const [id, value, event] of [["text", "TEXT", "input"], ["by-model", "MODEL", "change"]]) {
  document.getElementById(id).value = value;
  document.getElementById(id).dispatchEvent(new Event(event));
} })()
"""


ASK = "document.dispatchEvent(new Event('visibilitychange')), 0"  # as when somebody comes back to the page


@pytest.fixture
async def page(chromium_port: int) -> AsyncIterator[Page]:
    async with tab(chromium_port) as found:
        yield found


@pytest.fixture
def address(site: ViewSite) -> Iterator[str]:
    with SiteServer(site.files, 0, "token") as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running.address
        running.shutdown()
        thread.join()


async def drawn(page: Page) -> None:
    await page.until("document.querySelector('.suite-viewer')?.textContent.includes('books_reading')")


async def test_the_list_keeps_every_promise(page: Page, address: str, runs: Path) -> None:
    (runs / "model-c").rename(
        runs / "<img src=x onerror=alert(1)> very-long-name-without-a-place-to-break-it-anywhere"
    )
    (runs / "torn").mkdir()
    (runs / "torn" / "manifest.json").write_text("{" * 300)
    (next((runs / "model-b").glob("scorings/*/results.json"))).unlink()
    await inspect_page(
        page, address, "view-list", act=lambda page: page.run("document.querySelector('.pick input').click()")
    )
    assert all(url.startswith((address, "data:")) for url in page.asked if url != "about:blank"), page.asked


async def test_a_run_s_page_shows_its_samples(page: Page, address: str, site: ViewSite) -> None:
    key = site.listing.rows()[1].key  # model-b, whose answers are hostile
    await page.open(f"{address}runs/{key}.html")
    await drawn(page)
    assert (page.said, await page.violations()) == ([], [])
    assert await page.run("document.title") == "model-b"


async def test_two_runs_are_picked_and_compared_side_by_side(
    page: Page, address: str, site: ViewSite
) -> None:
    await page.open(address)
    c, b, a = (row.key for row in site.listing.rows())
    for key in (a, b):
        await page.click(f"#run-{key} input")
    await page.click("#compare")
    await page.until(f"location.href.endsWith('compare/{a}--{b}.html')")
    await inspect_page(page, await page.run("location.href"), "view-comparison", act=drawn)


async def test_why_samples_cannot_be_read_stands_in_their_place(
    page: Page, address: str, site: ViewSite, runs: Path
) -> None:
    key = site.listing.rows()[2].key
    (path,) = (runs / "model-a").glob("scorings/*/scores.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"cell"', b'"cull"', 1))
    await page.open(f"{address}runs/{key}.html")
    await page.until("document.querySelector('.sv-failed')?.textContent.includes('was changed or damaged')")
    assert page.said == []


async def test_the_list_is_filtered_and_sorted(page: Page, address: str) -> None:
    await page.open(address)
    assert await page.run(SHOWN) == ["model-c", "model-b", "model-a"]
    await page.press("/")
    await page.type("MODEL-b finished")
    assert await page.run(SHOWN) == ["model-b"]
    assert await page.run("document.getElementById('count').textContent") == "1 of 3"
    for text, model, shown in (
        ("", "scripted/model-a.jsonl", ["model-a"]),
        ("", "", ["model-c", "model-b", "model-a"]),
    ):
        await page.run(CHOOSE.replace("TEXT", text).replace("MODEL", model))
        assert await page.run(SHOWN) == shown
    await page.click("#runs th:nth-child(2) button")
    assert await page.run(SHOWN) == ["model-a", "model-b", "model-c"]
    assert (
        await page.run("document.querySelector('#runs th:nth-child(2)').getAttribute('aria-sort')")
        == "ascending"
    )
    await page.click("#runs th:nth-child(6) button")
    values = await page.run(
        "[...document.querySelectorAll('#runs td.heads')].map(d => Number(d.dataset.sort))"
    )
    assert values == sorted(values, reverse=True)


async def test_runs_that_come_grow_and_go_are_followed_and_the_place_is_kept(
    page: Page, address: str, runs: Path, tmp_path: Path
) -> None:
    await page.open(address)
    await page.click("#runs tbody tr:nth-child(2) input")
    await page.run("document.querySelector('#runs tbody tr:nth-child(3) a').focus(); window.mark = 1")
    shutil.copytree(runs / "model-a", tmp_path / "model-d")
    (tmp_path / "model-d").rename(runs / "model-d")
    await page.run(ASK)
    await page.until(f"{SHOWN}.includes('model-d')")
    outputs = runs / "model-a" / "outputs.jsonl"
    next((runs / "model-a").glob("scorings/*/results.json")).unlink()
    lines = outputs.read_bytes().splitlines(keepends=True)
    outputs.write_bytes(b"".join(lines[:5]))
    await page.run(ASK)
    await page.until("document.body.textContent.includes('5 solved, 14 scored of 14')")
    shutil.rmtree(runs / "model-c")
    await page.run(ASK)
    await page.until("document.getElementById('said').textContent === 'No longer there: model-c.'")
    assert await page.run("[window.mark, document.activeElement.textContent]") == [1, "model-a"]
    assert await page.run("document.getElementById('picks').textContent") == "model-b against …"
    assert page.said == []


async def test_a_server_that_is_gone_is_said(page: Page, site: ViewSite) -> None:
    with SiteServer(site.files, 0, "token") as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        await page.open(running.address)
        running.shutdown()
        thread.join()
    await page.run(ASK)
    await page.until("document.getElementById('said').textContent.startsWith('suite view does not answer')")
    assert len(await page.run(SHOWN)) == 3


async def test_exported_pages_open_from_a_folder(page: Page, runs: Path, tmp_path: Path) -> None:
    write_site(RunListing(runs), tmp_path / "pages", (), texts=False)
    await page.open((tmp_path / "pages" / "index.html").as_uri())
    for place in (2, 1):  # the newest last: the pair was made the other way round
        await page.click(f"#runs tbody tr:nth-child({place}) input")
    await page.click("#compare")
    await page.until("location.pathname.includes('/compare/')")
    await drawn(page)
    await page.open((next((tmp_path / "pages" / "runs").glob("model-b-*.html"))).as_uri())
    await drawn(page)
    assert page.said == []
    assert await page.violations() == []
    assert all(url.startswith(((tmp_path / "pages").as_uri(), "data:", "about:")) for url in page.asked), (
        page.asked
    )
