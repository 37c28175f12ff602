"""The site in Chromium: sorting, filtering, deep links, keys, no script, no word from the console."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import CHROMIUM, Page, tab
from inspections import inspect_page

from suite.board.repository.shelves import open_repository
from suite.board.site.pages import build_site
from suite.report.local_site import SiteServer, folder_files
from tests.board import accepted

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
MODELS = "[...document.querySelectorAll('#rows tr')].map(r => r.querySelector('th a').textContent)"
VALUES = "[...document.querySelectorAll('#rows tr')].map(r => r.children[{}].firstChild.textContent)"
HEADS = "document.querySelectorAll('#board thead th')"
COUNT = "document.getElementById('count').textContent"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("board")
    accepted.repository(root, 150, samples=40)
    return build_site(open_repository(root), root / "site").folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with SiteServer(folder_files(site), 0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def places(site: Path, address: str) -> dict[str, str]:
    return {"file": site.as_uri(), "http": address}


PAGES = (
    "index.html", "page-2.html", "custom.html", "history.html", "tasks/index.html", "tasks/overall.html",
    "pairs/index.html",
)  # fmt: skip


@pytest.mark.parametrize("how", ["file", "http"])
async def test_every_page_opens_without_a_word(
    site: Path, address: str, how: str, chromium_port: int
) -> None:
    base = places(site, address)[how]
    entries = sorted(path.name for path in (site / "entries").glob("*.html"))
    hostile = next(path.name for path in (site / "entries").glob("*.html") if "owned" in path.read_text())
    pair = next(path.name for path in sorted((site / "pairs").glob("*--*.html")))
    async with tab(chromium_port) as page:
        for path in (*PAGES, f"entries/{entries[0]}", f"entries/{hostile}", f"pairs/{pair}"):
            await page.open(f"{base}/{path}")
            assert page.said == [], path
            assert await page.violations() == []
            assert await page.run("document.title") != "owned"
        assert all(url.startswith((base, "data:", "about:")) for url in page.asked), page.asked


@pytest.mark.parametrize("path", ["index.html", "pairs/index.html", "pairs/*--*.html", "tasks/overall.html"])
async def test_pages_fit_any_screen_and_have_no_barrier(site: Path, path: str, chromium_port: int) -> None:
    found = sorted(site.glob(path))[0]
    async with tab(chromium_port) as page:
        await inspect_page(page, found, f"board-{path.partition('*')[0].strip('/').replace('/', '-')}")


async def test_the_leader_is_whole_on_a_phone(site: Path, chromium_port: int) -> None:
    async with tab(chromium_port) as page:
        await page.look(width=400, height=900)
        await page.open((site / "index.html").as_uri())
        first = "document.querySelector('.forest li')"
        for part in (".who a", ".who small", ".what b", ".what .r", "svg"):
            box = await page.run(f"JSON.stringify({first}.querySelector('{part}').getBoundingClientRect())")
            told = json.loads(box)
            assert 0 <= told["left"] < told["right"] <= 400, part
            assert told["width"] > 0
        label = f"{first}.querySelector('.who a')"
        assert await page.run(f"{label}.scrollWidth <= {label}.parentElement.clientWidth")


async def test_terms_are_explained_in_place_by_key(address: str, chromium_port: int) -> None:
    async with tab(chromium_port) as page:
        await page.open(f"{address}/index.html")
        await page.run("document.querySelector('th[data-k=rank] .what-is').focus()")
        await page.press("Enter")
        window = "document.getElementById('board-rank')"
        assert await page.run(f"{window}.matches(':popover-open')")
        assert "ranks that the data allow" in await page.run(f"{window}.textContent")
        await page.press("Escape")
        assert not await page.run(f"{window}.matches(':popover-open')")


async def test_a_matrix_is_a_list_on_a_phone_and_stays_a_table_for_the_ear(
    site: Path, chromium_port: int
) -> None:
    async with tab(chromium_port) as page:
        await page.look(width=400)
        await page.open((site / "pairs" / "index.html").as_uri())
        cell = "document.querySelector('.pairs tbody tr td:nth-of-type(2)')"
        assert "Model" in await page.run(f"{cell}.innerText")
        assert await page.run(f"{cell}.getBoundingClientRect().right <= 400")
        heard = (await page.send("Accessibility.getFullAXTree"))["nodes"]
        roles = {one["role"]["value"] for one in heard if "role" in one}
        assert {"table", "row", "rowheader", "cell"} <= roles


async def test_sorting_by_a_click_on_every_column(site: Path, chromium_port: int) -> None:
    async with tab(chromium_port) as page:
        await page.open(f"{site.as_uri()}/index.html")
        assert not any(url.endswith("rows.js") for url in page.asked)
        heads = await page.run("[...document.querySelectorAll('#board thead th')].map(t => t.dataset.kind)")
        for index, kind in enumerate(heads):
            for _ in range(2):
                await page.run(f"{HEADS}[{index}].querySelector('button').click()")
                await page.until("document.querySelectorAll('#rows tr').length > 100")
                shown = await sorted_by(page, index)
                assert shown["only"] == [index]
                known = [one for one in shown["values"] if one not in ("–", "unknown")]
                rest = shown["values"][len(known) :]
                assert all(one in ("–", "unknown") for one in rest), (
                    index,
                    rest,
                )  # unknown is last, both ways
                if kind in ("rank", "number") and "B" not in "".join(known):
                    numbers = [float(one.replace(",", "").removesuffix(" %")) for one in known]
                    assert numbers == sorted(numbers, reverse=shown["way"] == "descending"), index
        assert any(url.endswith("rows.js") for url in page.asked)
        assert page.said == []


def names(site: Path) -> list[str]:
    """Names of all models of the ranking, in its order."""
    text = (site / "rows.js").read_text("utf-8")
    rows = json.loads(text.removeprefix("suiteBoard.rows(").removesuffix(");\n"))
    return [row[3][1][0] for row in rows]


async def sorted_by(page: Page, index: int) -> Any:
    marked = f"[...{HEADS}].map((t, i) => t.ariaSort ? i : -1).filter(i => i >= 0)"
    return {
        "only": await page.run(marked),
        "way": await page.run(f"{HEADS}[{index}].ariaSort"),
        "values": await page.run(VALUES.format(index)),
    }


@pytest.mark.parametrize("how", ["file", "http"])
async def test_filters_and_their_deep_links(site: Path, address: str, how: str, chromium_port: int) -> None:
    base = places(site, address)[how]
    async with tab(chromium_port) as page:
        await page.open(f"{base}/index.html")
        await page.run("document.getElementById('f-q').focus()")
        await page.type("model 12")
        await page.until(f"{COUNT}.includes(' of ')")
        assert await page.run(MODELS) == [one for one in names(site) if "12" in one]
        await page.run(
            "const s = document.getElementById('f-availability'); s.value = 'open_weights';"
            "s.dispatchEvent(new Event('change'))"
        )
        await page.until("document.querySelectorAll('#rows tr').length < 9")
        weights = await page.run(f"[...{HEADS}].findIndex(t => t.dataset.k === 'availability')")
        assert set(await page.run(VALUES.format(weights))) == {"open"}
        link, before = await page.run("location.href"), await page.run(MODELS)
        assert "q=model%2012" in link
        assert "availability=open_weights" in link
        await page.open("about:blank")
        await page.open(link)
        await page.until(f"{COUNT}.includes(' of ')")
        assert await page.run(MODELS) == before
        assert await page.run("document.getElementById('f-q').value") == "model 12"
        await page.run("document.getElementById('f-clear').click()")
        await page.until("document.querySelectorAll('#rows tr').length > 100")
        assert page.said == []


async def test_best_of_each_organisation_and_all_columns(address: str, chromium_port: int) -> None:
    async with tab(chromium_port) as page:
        await page.open(f"{address}/index.html#best=1")
        await page.until("document.querySelectorAll('#rows tr').length < 10")
        names = "[...document.querySelectorAll('#rows tr')].map(r => r.querySelector('th small').textContent)"
        found = await page.run(names)
        assert len(found) == len(set(found))
        hidden = "getComputedStyle(document.querySelector('#board thead th.m')).display"
        assert await page.run(hidden) == "none"
        await page.run("document.getElementById('f-more').click()")
        assert await page.run(hidden) == "table-cell"
        assert "more=1" in await page.run("location.hash")


async def test_an_anchor_leads_to_an_entry_that_is_not_on_the_first_page(
    site: Path, chromium_port: int
) -> None:
    from bs4 import BeautifulSoup

    second = BeautifulSoup((site / "page-2.html").read_text(), "html.parser")
    identity = second.select("#rows tr")[-1]["id"]
    async with tab(chromium_port) as page:
        await page.open(f"{site.as_uri()}/index.html#{identity}")
        await page.until(f"document.getElementById('{identity}')?.classList.contains('target')")
        box = f"document.getElementById('{identity}').getBoundingClientRect()"
        assert await page.run(f"{box}.top > 0 && {box}.bottom < innerHeight")
        assert page.said == []


async def test_bad_deep_links_are_harmless(address: str, chromium_port: int) -> None:
    async with tab(chromium_port) as page:
        for hash_ in (
            "#q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "#sort=__proto__&dir=up", "#q=%E0%A4%A", "#e-zzz",
            "#=&&=", "#constructor=1&__proto__=2",
        ):  # fmt: skip
            await page.open("about:blank")
            await page.open(f"{address}/index.html{hash_}")
            await page.until(f"{COUNT}.includes('entries')")
            assert page.said == []
        await page.open("about:blank")
        await page.open(f"{address}/index.html#sort=overall&dir=ascending")
        await page.until("document.querySelector('[data-k=overall]').ariaSort === 'ascending'")


async def test_everything_is_done_with_keys(address: str, chromium_port: int) -> None:
    async with tab(chromium_port) as page:
        await page.open(f"{address}/index.html")
        await page.press("Tab")
        assert await page.run("document.activeElement.textContent") == "Skip to the content"
        for _ in range(40):
            await page.press("Tab")
            if await page.run("document.activeElement.closest('th')?.dataset.k === 'model'"):
                break
        else:
            raise AssertionError("no key leads to the head of a column")
        ring = "getComputedStyle(document.activeElement).outlineStyle"
        assert await page.run(ring) == "solid"
        await page.press("Enter")
        await page.until("document.querySelector('[data-k=model]').ariaSort === 'ascending'")
        await page.press(" ")
        await page.until("document.querySelector('[data-k=model]').ariaSort === 'descending'")
        names = [one.casefold() for one in await page.run(MODELS)]
        assert names == sorted(names, reverse=True)


async def test_a_tasks_table_sorts_too(address: str, chromium_port: int) -> None:
    async with tab(chromium_port) as page:
        await page.open(f"{address}/tasks/family--task-2.html")
        await page.run("document.querySelectorAll('.sortable thead button')[2].click()")
        values = await page.run(
            "[...document.querySelector('.sortable tbody').rows].map(r => r.cells[2].dataset.v)"
        )
        known = [float(one) for one in values if one]
        assert known == sorted(known)
        assert values[: len(known)] == [one for one in values if one]
        await page.run(
            "[...document.querySelector('.sortable').tHead.rows[0].cells].at(-1).firstChild.click()"
        )
        ranks = await page.run(
            "[...document.querySelector('.sortable tbody').rows].map(r => [...r.cells].at(-1).dataset.v)"
        )
        pairs = [tuple(map(int, one.split())) for one in ranks if one]
        assert pairs == sorted(pairs)
        assert max(low for low, _ in pairs) > 9  # as text, 10 would come before 2
        assert page.said == []


async def test_without_a_script_everything_can_be_read(site: Path, chromium_port: int) -> None:
    async with tab(chromium_port) as page:
        await page.look(script=False)
        await page.open(f"{site.as_uri()}/index.html")
        seen = await page.send("DOM.getDocument", depth=-1)
        form = await page.send("DOM.querySelector", nodeId=seen["root"]["nodeId"], selector="#filter[hidden]")
        rows = await page.send("DOM.querySelectorAll", nodeId=seen["root"]["nodeId"], selector="#rows tr")
        more = await page.send(
            "DOM.querySelectorAll", nodeId=seen["root"]["nodeId"], selector="#pages a[href]"
        )
        assert form["nodeId"]
        assert len(rows["nodeIds"]) == 100
        assert len(more["nodeIds"]) == 1
        assert page.said == []


INTRUDERS = {
    "script": "<script>document.title='owned'</script>",
    "handler": "<p onclick='document.title=1' style='color:red'>x</p>",
    "remote": "<script src='http://127.0.0.1:9/x.js'></script><img src='http://127.0.0.1:9/x.png'>",
}


@pytest.mark.parametrize("what", INTRUDERS)
async def test_the_policy_refuses_whatever_is_added(site: Path, what: str, chromium_port: int) -> None:
    path = site / f"intruder-{what}.html"
    path.write_text((site / "index.html").read_text().replace("</main>", INTRUDERS[what] + "</main>"))
    try:
        async with tab(chromium_port) as page:
            await page.open(path.as_uri())
            assert await page.run("document.title") == "Board B"
            assert any("Content Security Policy" in one for one in page.said)
    finally:
        path.unlink()


async def contrast(page: Page, selector: str) -> float:
    """The ratio of the text's colour to the page's, as WCAG 2 counts it."""
    text, ground = await page.run(
        f"[getComputedStyle(document.querySelector('{selector}')).color,"
        "getComputedStyle(document.body).backgroundColor]"
    )

    def light(colour: str) -> float:
        parts = [int(one) / 255 for one in colour[4:-1].split(",")]
        linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    first, second = sorted((light(text), light(ground)), reverse=True)
    return (first + 0.05) / (second + 0.05)


@pytest.mark.parametrize("dark", [False, True])
async def test_text_can_be_read_in_both_schemes(address: str, dark: bool, chromium_port: int) -> None:
    async with tab(chromium_port) as page:
        await page.look(dark=dark)
        await page.open(f"{address}/index.html")
        for selector in ("h1", "#rows td", "#rows small", "#rows th a", "caption", "footer", "thead th"):
            assert await contrast(page, selector) >= 4.5, selector
