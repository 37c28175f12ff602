"""Pages from templates that escape everything and clean every text."""

from functools import cache
from importlib.resources import files
from xml.sax.saxutils import escape

import msgspec
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from suite.board.define.board import file_name
from suite.board.entry import GONE
from suite.board.rank.ranking import expected_gain
from suite.board.rank.sample_tables import flips
from suite.board.rank.state import pair_result, staleness
from suite.board.site import page_words
from suite.board.site.figures import nice
from suite.board.site.pair_facts import MOST_PAIRS, pair_page
from suite.report.hostile_text import clean
from suite.report.local_site import POLICY
from suite.report.numbers import DASH, counted, number, percent, plain, signed


@cache
def resource(path: str) -> str:
    """A file that comes with this package, as text."""
    return (files("suite.board.site") / path).read_text("utf-8")


def xml(text: str) -> Markup:
    """Text of the feed: quotes stay as they are."""
    return Markup(escape(text))


def json(value: object) -> Markup:
    """A value as JSON; what a macro made is text."""
    return Markup(msgspec.json.encode(value, enc_hook=str).decode())


_FILTERS = (
    counted, file_name, json, number, percent, plain, signed, xml,
    page_words.model, page_words.name, page_words.when,
)  # fmt: skip
_GLOBALS = (
    expected_gain, flips, nice, pair_page, pair_result, staleness,
    page_words.external, page_words.marks_of, page_words.missing, page_words.open_roles,
)  # fmt: skip


@cache
def environment() -> Environment:
    """Templates with escaping on and every text cleaned."""
    made = Environment(
        loader=FunctionLoader(lambda path: resource(f"templates/{path}")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: clean(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for one in _FILTERS:
        made.filters[one.__name__] = one
    made.globals |= {one.__name__: one for one in _GLOBALS}
    made.globals |= {"dash": DASH, "most_pairs": MOST_PAIRS, "gone": GONE, "zip": zip}
    made.globals |= {"policy": Markup(POLICY)}  # a constant of this package: quotes stay quotes
    return made


def render(template: str, **given: object) -> str:
    """A page. Whatever came here uncleaned is cleaned once more."""
    return clean(environment().get_template(template).render(**given))
