"""Tags in a reply, read the way upstream reads them, without its dependency.

Upstream parses replies with BeautifulSoup on the standard library's HTML parser; this builds the same
small tree: first tag of a name, its `text` and its `string`. Equality with BeautifulSoup is tested.
Not here: what a tag's text means (`letters`, `verdicts`).
"""

import re
from dataclasses import dataclass, field
from html import unescape
from html.entities import html5
from html.parser import HTMLParser

_VOID = frozenset(
    {"area", "base", "basefont", "bgsound", "br", "col", "command", "embed", "frame", "hr", "image", "img"}
    | {"input", "isindex", "keygen", "link", "menuitem", "meta", "nextid", "param", "source", "spacer"}
    | {"track", "wbr"}
)


@dataclass(slots=True)
class Text:
    """A run of characters; a comment's are no part of an element's text."""

    content: str
    comment: bool = False


@dataclass(slots=True)
class Element:
    """A tag with its children. An unclosed tag holds everything up to the end."""

    name: str
    children: list["Element | Text"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside, nested tags included."""
        return "".join(
            child.text if isinstance(child, Element) else "" if child.comment else child.content
            for child in self.children
        )

    @property
    def string(self) -> str | None:
        """The only string inside, through only children; None where there is none or more than one child."""
        if len(self.children) != 1:
            return None
        child = self.children[0]
        return child.string if isinstance(child, Element) else child.content

    def all(self, name: str) -> list["Element"]:
        """Every element of a name inside, in document order."""
        found: list[Element] = []
        for child in self.children:
            if isinstance(child, Element):
                if child.name == name:
                    found.append(child)
                found += child.all(name)
        return found


MOST_TAGS, MOST_DEPTH = 1000, 200
_OPENS_NOTHING = re.compile("<(?![^<>]*>)")


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.root = Element("")
        self._open = [self.root]
        self._pending: list[str] = []

    def flush(self) -> None:
        """Join the characters read so far into one string of the innermost open element."""
        if not self._pending:
            return
        content = "".join(self._pending)
        self._pending = []
        if not content.strip(" \n\t\f\r"):
            content = "\n" if "\n" in content else " "
        self._open[-1].children.append(Text(content))

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.flush()
        element = Element(tag)
        self._open[-1].children.append(element)
        if tag not in _VOID and len(self._open) < MOST_DEPTH:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self.flush()
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].name == tag:
                del self._open[depth:]
                return

    def handle_data(self, data: str) -> None:
        self._pending.append(data)

    def handle_charref(self, name: str) -> None:
        self._pending.append(unescape(f"&#{name};"))

    def handle_entityref(self, name: str) -> None:
        self._pending.append(html5.get(f"{name};", f"&{name}"))

    def handle_comment(self, data: str) -> None:
        self.flush()
        self._open[-1].children.append(Text(data, comment=True))


def parse(reply: str) -> Element:
    """The tree of a reply; the root has no name. Takes any text: what is no tag is text.

    Of a reply with more than 1,000 angle brackets only the first 1,000 that can be tags are: the parser's
    time grows with their square. A tag inside of 200 open ones holds nothing.
    """
    if reply.count("<") > MOST_TAGS:
        *tags, rest = _OPENS_NOTHING.sub("&lt;", reply).split("<", MOST_TAGS)
        reply = "<".join([*tags, rest.replace("<", "&lt;")])
    builder = _Builder()
    builder.feed(reply)
    builder.close()
    builder.flush()
    return builder.root


def first(reply: str, name: str) -> Element | None:
    """The first element of a name (lower case), or None."""
    found = parse(reply).all(name)
    return found[0] if found else None


def first_text(reply: str, name: str) -> str:
    """The stripped text of the first element of a name, "" if there is none: upstream's reading."""
    element = first(reply, name)
    return element.text.strip() if element else ""
