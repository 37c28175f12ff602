"""Markup for the site: templates that escape everything, names made safe to show, links only where safe.

Every text that a submitter wrote passes `name` or a template's own cleaning.
"""

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from suite.report.hostile_text import clean, one_line

if TYPE_CHECKING:
    from jinja2 import Environment

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)
DASH = "–"
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2064\u206a-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]")  # fmt: skip  # noqa: E501
_HTTPS = re.compile(r"https://[^\s\"<>\\^`{|}\x00-\x20\x7f]{1,490}", re.ASCII)


def name(text: str | None, most: int = 200) -> str:
    """A name as one line without invisible characters; direction overrides are shown as their code points."""
    return one_line(_INVISIBLE.sub("", text or ""), most) or DASH


def external(url: str | None, label: str = "") -> Markup:
    """A link that leaves the site, https only; anything else is shown as text."""
    if url is None:
        return Markup(DASH)
    if _HTTPS.fullmatch(url):
        return Markup('<a href="{}" rel="nofollow noopener noreferrer ugc">{}</a>').format(
            url, name(label or url)
        )
    return escape(name(label or url))


@cache
def resource(path: str) -> str:
    """A file that comes with this package, as text."""
    found = files("suite.board.site")
    for part in path.split("/"):
        found = found / part
    return found.read_text("utf-8")


@cache
def environment() -> "Environment":
    """Templates with escaping on and every text cleaned."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    made = Environment(
        loader=FunctionLoader(lambda path: resource(f"templates/{path}")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: clean(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["name"] = name
    made.globals["external"] = external
    made.globals["policy"] = Markup(POLICY)  # a constant of this module: quotes stay quotes
    return made


def render(template: str, **values: object) -> str:
    """A page. Whatever came here uncleaned is cleaned once more."""
    return clean(environment().get_template(template).render(**values))
