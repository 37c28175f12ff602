"""What submitters wrote, made safe to show: names, and links only where they are safe.

Every text of theirs passes `name` or a template's own cleaning.
"""

import re

from markupsafe import Markup, escape

from suite.board.rank.state import Listed
from suite.report.hostile_text import one_line
from suite.report.numbers import DASH

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2064\u206a-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]")  # fmt: skip  # noqa: E501
_HTTPS = re.compile(r"https://[^\s\"<>\\^`{|}\x00-\x20\x7f]{1,490}", re.ASCII)


def name(text: str | None, most: int = 200) -> str:
    """A name as one line without invisible characters; direction overrides are shown as their code points."""
    return one_line(_INVISIBLE.sub("", text or ""), most) or DASH


def model(listed: Listed, most: int) -> str:
    """The name of an entry's model, cut."""
    return name(listed.entry.submission.model.display_name, most)


def external(url: str | None, label: str = "") -> Markup:
    """A link that leaves the site, https only; anything else is shown as text."""
    if url is None:
        return Markup(DASH)
    if _HTTPS.fullmatch(url):
        return Markup('<a href="{}" rel="nofollow noopener noreferrer ugc">{}</a>').format(
            url, name(label or url)
        )
    return escape(name(label or url))
