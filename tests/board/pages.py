"""Pages of a built site, and the rows of the table on one."""

from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup, Tag


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def pages(site: Path) -> Iterator[tuple[Path, BeautifulSoup]]:
    for path in sorted(site.rglob("*.html")):
        yield path, soup(path)


def table(page: BeautifulSoup) -> list[dict[str, Tag]]:
    found = page.find("table", id="board")
    assert isinstance(found, Tag)
    heads = [str(th["data-k"]) for th in found.select("thead th")]
    return [dict(zip(heads, tr.find_all(["td", "th"]), strict=True)) for tr in found.select("tbody tr")]
