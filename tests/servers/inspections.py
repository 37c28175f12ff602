"""What every page of ours promises, looked at in Chromium: `await inspect_page(page, path, "board")`.

At 1400 and 400 pixels, light and dark: the console says nothing, the policy refuses nothing, nothing is wider
than the screen, axe-core finds nothing. Pictures are left in `tests/browser/pictures/`, which Git ignores.
"""

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from chromium import Page

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "tests" / "browser" / "pictures"
TOOLS = Path(os.environ.get("SUITE_BROWSER_TOOLS") or ROOT / ".tox" / "browser-tools")
AXE = TOOLS / "node_modules" / "axe-core" / "axe.min.js"
MOST_HEIGHT = 3_000
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TOP = "document.querySelector('START').getBoundingClientRect().top + scrollY"
# the elements that stick out, the outermost first; what is inside something that scrolls does not
STICKING_OUT = """
(() => {
  const inside = (one) => one && one !== document.body &&
    (getComputedStyle(one).overflowX !== "visible" || inside(one.parentElement));
  return [...document.body.querySelectorAll("*")].filter((one) => !inside(one.parentElement) &&
    one.getBoundingClientRect().right > innerWidth + 1).slice(0, 4).map((one) => one.outerHTML.slice(0, 120));
})()
"""
RUN_AXE = """
axe.run(document, {resultTypes: ["violations"], preload: false, ...OPTIONS})
  .then((found) => found.violations.flatMap(
    (rule) => rule.nodes.map((node) =>
      `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary}: ${node.html.slice(0, 160)}`)))
"""


async def inspect_page(
    page: Page,
    path: Path | str,
    name: str,
    *,
    act: Callable[[Page], Awaitable[object]] | None = None,
    axe: bool = True,
    start: str = "html",
) -> None:
    """Open a file or an address and assert what every page promises.

    name: of its pictures, `NAME-1400-light.png` and so on. act: what to do on the page before one looks
    at it, such as opening a sample. axe: False leaves axe-core out. start: the element where pictures begin.
    """
    url = path if isinstance(path, str) else path.resolve().as_uri()
    PICTURES.mkdir(parents=True, exist_ok=True)
    before = len(page.said)
    faults: list[str] = []
    for width, height in ((1400, 1000), (400, 900)):
        await page.look(width=width, height=height)
        await page.open(url)
        if act is not None:
            await act(page)
        if excess := await page.run(WIDE):
            faults.append(f"at {width} pixels it is {excess} wider: {await page.run(STICKING_OUT)}")
        for dark in (False, True):
            scheme = "dark" if dark else "light"
            await page.look(width=width, height=height, dark=dark)
            top = await page.run(TOP.replace("START", start))
            await page.picture(PICTURES / f"{name}-{width}-{scheme}.png", MOST_HEIGHT, top)
            if axe and not (dark and width == 400):  # it adds nothing to the other three
                found = await axe_violations(page, "color-contrast" if dark else "")
                faults += [f"axe at {width}, {scheme}: {one}" for one in found]
        faults += [f"refused by the policy: {one}" for one in await page.violations()]
    faults += [f"the console says: {one}" for one in page.said[before:]]
    await page.look()
    assert faults == [], "\n".join([f"{name}: {url}", *faults])


async def axe_violations(page: Page, rule: str = "") -> list[str]:
    """What axe-core finds on the page as it is, by one rule or all.

    Nothing, and a word about it, where it isn't installed.
    """
    if not AXE.is_file():
        print("axe-core is not installed: run .ci/browser_tools to look for it too")
        return []
    if not await page.run("typeof axe === 'object'"):
        await page.run(AXE.read_text("utf-8") + ";0")
    options = json.dumps({"runOnly": [rule]} if rule else {})
    found: list[str] = await page.run(RUN_AXE.replace("OPTIONS", options))
    return found
