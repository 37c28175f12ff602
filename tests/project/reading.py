"""What the project's own texts quote: code blocks, commands, links and headings."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(
    r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<body>.*?)^```$", re.M | re.S
)
_HEADING = re.compile(r"^#{1,6} +(?P<text>.*?)(?: *\{ *#(?P<id>[\w-]+) *\})?$", re.M)
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


class Block(NamedTuple):
    """A fenced block. title: the file it is the content of, "" for one that is run or only shown."""

    language: str
    title: str
    body: str


class Link(NamedTuple):
    """A link inside the tree. path: "" for the text itself; anchor: "" for the whole page."""

    path: str
    anchor: str


def read(name: str) -> str:
    """A text of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a Markdown text."""
    return [Block(m["language"], m["title"] or "", m["body"]) for m in _BLOCK.finditer(text)]


def commands(name: str) -> list[str]:
    """Lines of shell blocks that run the suite: continued lines joined, variables filled, comments cut."""
    shell = (block.body for block in blocks(read(name)) if block.language == "sh")
    text = "\n".join(shell).replace("\\\n", " ")
    values = dict(re.findall(r'^([A-Z]+)="(.*)"$', text, flags=re.MULTILINE))
    filled = re.sub(r"\$([A-Z]+)\b", lambda m: values.get(m[1], m[0]), text)
    ends = r"\s+(?:#|\|\|?|&&|>>?)\s"  # a comment, or what the shell does with the outcome
    return [re.split(ends, line)[0].strip() for line in filled.splitlines() if line.startswith("suite ")]


def links(text: str) -> list[Link]:
    """Links to places inside the tree."""
    return [Link(path, anchor or "") for path, anchor in _LINK.findall(_without_blocks(text))]


def anchors(text: str) -> set[str]:
    """What a link can name in a text: its headings as GitHub and MkDocs turn them into ids."""
    found = set()
    for heading in _HEADING.finditer(_without_blocks(text)):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading["text"]).strip().lower()
        found.add(heading["id"] or re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def _without_blocks(text: str) -> str:
    return _BLOCK.sub("", text)
