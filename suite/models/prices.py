"""What models cost, as data: `registry/prices.yaml`, plugins' files of that name, `[[prices]]` in suite.toml.

The first row that fits counts: the user's own, plugins', ours. What runs on own machines costs no money. A
model without a row has no known price, which is never taken for none.
"""

import datetime
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self
from urllib.parse import urlsplit

import msgspec
from pydantic import Field, ValidationError, model_validator

from suite.chat import Json, Usage
from suite.data import strict_syntax
from suite.data.entry import Strict
from suite.errors import ConfigError, unknown
from suite.files import SETTINGS, read_settings
from suite.journal.documents import CallTotals, RoleMember
from suite.models.tables import Pattern, registry_file
from suite.plugins import catalogue

FILE = "prices.yaml"
LOCAL = frozenset(("embedded", "lexical", "llamacpp", "lmstudio", "ollama", "replay", "scripted", "sglang",
                   "transformers", "vllm"))  # fmt: skip
UNKNOWN = "price unknown"
# fields of a request that a provider bills otherwise: another tier, another region, a search
_BILLED_APART = frozenset({"service_tier", "inference_geo", "speed", "web_search_options", "plugins"})
_OWN = "[[prices]] takes provider, host, model, input, output, cached, currency, date, source: docs/cost.md"

Dollars = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class Rates(NamedTuple):
    """What one token costs, in millionths of a millionth of a dollar: whole numbers, which add up exactly."""

    input: int
    cached: int
    output: int

    def cost(self, usage: Usage) -> int:
        """Of one call, or of many whose tokens were added."""
        fresh = usage.prompt - usage.cached
        return fresh * self.input + usage.cached * self.cached + usage.completion * self.output


FREE = Rates(0, 0, 0)
PER_USD = 10**12


class TokenPrice(Strict):
    """A row: usd for a million tokens. host, model: patterns for whole strings. cached: None: as input."""

    provider: str = Field("openai", min_length=1)
    host: Pattern = ".*"
    model: Pattern
    input: Dollars
    output: Dollars
    cached: Dollars | None = None
    currency: Literal["usd"] = "usd"
    date: datetime.date | None = None
    source: str = ""

    @model_validator(mode="after")
    def _cached_is_less(self) -> Self:
        if self.cached is not None and self.cached > self.input:  # a budget counts what is fresh
            raise ValueError(f"cached: {self.cached:g} is more than input, {self.input:g}")
        return self

    def misses(self, identity: Mapping[str, Json]) -> dict[str, str]:
        """Field -> what a model has there, of the fields that do not fit it. identity: as an engine tells it;
        {} where this is its price."""
        host = urlsplit(str(identity.get("url") or "")).hostname or ""
        has = {"model": str(identity.get("name")), "host": host}
        found = {name: one for name, one in has.items() if not re.fullmatch(getattr(self, name), one)}
        provider = str(identity.get("provider"))
        return found if provider == self.provider else {**found, "provider": provider}

    @property
    def rates(self) -> Rates:
        """The same for one token."""
        cached = self.input if self.cached is None else self.cached
        return Rates(*(round(one * 1e6) for one in (self.input, cached, self.output)))


class ListedPrice(TokenPrice):
    """A row of a registry: with the service that it is of, when that was looked up, and where."""

    host: Pattern
    date: datetime.date
    source: str = Field(pattern="^https://")


class PriceList(Strict):
    """The prices of a registry."""

    prices: tuple[ListedPrice, ...]


@lru_cache(maxsize=4)
def prices_of(folders: tuple[Path, ...]) -> tuple[ListedPrice, ...]:
    """The rows of plugins' registry folders, then the suite's own. Raises ConfigError with file and field."""
    paths = [path for folder in folders if (path := folder / FILE).is_file()]
    fix = "schemas/prices.json in the registry says what is allowed"
    lists = (
        strict_syntax.read_model(path, PriceList, ConfigError, "list of prices", fix)
        for path in [*paths, registry_file(FILE)]
    )
    return tuple(row for one in lists for row in one.prices)


def own_prices(start: Path | None = None) -> tuple[TokenPrice, ...]:
    """The user's rows: `[[prices]]` of the nearest suite.toml. Raises ConfigError with file and field."""
    path, _, tables = read_settings(start or Path.cwd())
    rows = tables.get("prices", [])
    if not isinstance(rows, list):
        raise ConfigError.of("models.prices.no-list", path=path)
    found = []
    for number, row in enumerate(rows, 1):
        try:
            found.append(strict_syntax.validated(TokenPrice, msgspec.to_builtins(row)))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field, message = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
            what, fix = f"{field}: {message}" if field else message, _OWN
            if first["type"] == "extra_forbidden":
                what, fix = f"there is no field {field!r}", unknown("", field, TokenPrice.model_fields).fix
            raise ConfigError(what, f"{path}, [[prices]] number {number}", fix) from error
    return tuple(found)


def _apart(identity: Mapping[str, Json]) -> list[str]:
    """The fields of a model's requests that listed prices are not for."""
    options = identity.get("options")
    body = options.get("extra_body") if isinstance(options, dict) else None
    return sorted(_BILLED_APART & body.keys()) if isinstance(body, dict) else []


def priced(identity: Mapping[str, Json]) -> tuple[Rates | None, TokenPrice | None]:
    """What a model's tokens cost, and the row of it: nothing where it runs on own machines and the user names
    no price, and where replies are replayed. None: not known, and no row. Raises ConfigError.
    """
    local = identity.get("provider") in LOCAL
    unlisted = local or _apart(identity)
    listed = () if unlisted else prices_of(tuple(catalogue().registry_folders()))
    price = next((row for row in (*own_prices(), *listed) if not row.misses(identity)), None)
    if "replayed_from" in identity or (local and price is None):
        return FREE, price
    return (price.rates if price else None), price


def rates_of(identity: Mapping[str, Json]) -> Rates | None:
    """What a model's tokens cost, see `priced`."""
    return priced(identity)[0]


class Cost(msgspec.Struct, frozen=True):
    """What a member's calls cost. usd: None where that is not known, and `why` says so; replies from the
    cache cost nothing. date: when the price was looked up, "" where nobody says. local: it costs no money.
    most: with what tries under a budget may have cost that told no tokens, where there are any.
    """

    usd: float | None = None
    why: str = ""
    date: str = ""
    local: bool = False
    most: float | None = None


def costs(
    roles: Mapping[str, Sequence[RoleMember]],
    calls: Mapping[str, CallTotals],
    untold: Mapping[str, Usage] | None = None,
) -> dict[str, Cost]:
    """Member -> cost. roles, calls: of a run's manifest and results. untold: member -> the most that tries
    took which told no tokens. Raises ConfigError for own prices."""
    identities = {one.member: one.identity for members in roles.values() for one in members}
    lost, none = untold or {}, CallTotals(0, 0, 0, 0, 0, 0)
    members = dict.fromkeys([*calls, *lost])
    return {one: _cost(identities.get(one, {}), calls.get(one, none), lost.get(one)) for one in members}


def _cost(identity: Mapping[str, Json], calls: CallTotals, untold: Usage | None) -> Cost:
    rates, price = priced(identity)
    if rates is None:
        return Cost(why=UNKNOWN)
    more = rates.cost(untold) / PER_USD if untold else 0.0
    if calls.calls > calls.cached and not calls.prompt_tokens and rates != FREE:
        return Cost(why="no usable token counts from the endpoint", most=more or None)
    usage = Usage(
        calls.prompt_tokens - calls.kept_prompt_tokens,
        calls.completion_tokens - calls.kept_completion_tokens,
        calls.cached_tokens - calls.kept_cached_tokens,
    )
    date = str(price.date) if price is not None and price.date else ""
    usd = rates.cost(usage) / PER_USD
    return Cost(usd, "", date, price is None or rates is FREE, usd + more if more else None)


def shown_costs(found: Mapping[str, Cost]) -> str:
    """A run's cost in words, such as `1.31 usd (prices of 2026-05-04)`; "" where nothing costs money."""
    paid = {name: one for name, one in found.items() if not one.local}
    known = [one.usd for one in paid.values() if one.usd is not None]
    dates = [one.date for one in paid.values() if one.usd is not None and one.date]
    parts = [shown_usd(sum(known)) + (f" (prices of {min(dates)})" if dates else "")] if known else []
    if any(one.most for one in paid.values()):
        most = sum(one.most or one.usd or 0 for one in paid.values())
        parts += [f"up to {shown_usd(most)} with calls that reported no tokens"]
    parts += [f"{name}: {one.why}" for name, one in paid.items() if one.usd is None]
    return ", ".join(parts)


def shown_usd(amount: float) -> str:
    """`12.40 usd`; two digits that count where it is less than a cent."""
    if not amount or amount >= 0.01:
        return f"{amount:.2f} usd"
    return f"{float(f'{amount:.2g}'):.10f}".rstrip("0") + " usd"


def price_wanted(spec: str, identity: Mapping[str, Json]) -> str:
    """How to name a price of `provider/name`: by the user's own row that nearly fits, else by a new one."""
    for number, row in enumerate(own_prices(), 1):
        misses = row.misses(identity)
        if len(misses) == 1 and ("model" not in misses or re.fullmatch(row.model, spec)):
            [(field, has)] = misses.items()
            mine = f"its {field} is {getattr(row, field)!r}, the model's is {has!r}"
            return f"correct [[prices]] number {number} in {SETTINGS}, which nearly fits: {mine}"
    apart = "".join(f"listed prices are not for {one}: " for one in _apart(identity)[:1])
    provider, _, name = spec.partition("/")
    whose = "" if provider == "openai" else f"provider = {provider!r}, "
    fields = f"{whose}model = {re.escape(name)!r}, input = …, output = …"
    return f"{apart}add a price to {SETTINGS}: [[prices]] with {fields}"
