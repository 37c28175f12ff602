"""Numbers as people read them; one place, so that terminal, Markdown and HTML agree."""

from collections.abc import Mapping
from datetime import UTC, datetime

from suite.chat import Json
from suite.errors import ConfigError
from suite.journal.documents import MetricResult
from suite.report.hostile_text import one_line

DASH = "–"


def number(value: float | int | None) -> str:
    """Three decimals below 10, three significant digits above, all of a whole number; a dash for none."""
    if value is None:
        return DASH
    if isinstance(value, int):
        return f"{value:,}"
    size = abs(value)
    digits = 3 if size < 10 else 1 if size < 100 else 0
    return f"{value:z,.{digits}f}"  # z: no minus before what rounds to zero


def signed(value: float | None) -> str:
    """The same with its sign: of a difference."""
    shown = number(value)
    return f"+{shown}" if value is not None and value > 0 else shown


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its noun: "1 entry", "2,000 entries". many: where it is more than an s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def with_unit(value: float | None, unit: str) -> str:
    """A number and its unit."""
    return f"{number(value)} {unit}" if unit and value is not None else number(value)


def interval(low: float | None, high: float | None) -> str:
    """[low, high], a dash if there is none."""
    return DASH if low is None or high is None else f"[{number(low)}, {number(high)}]"


def percent(share: float | None) -> str:
    """A share in percent, rounded towards neither 0 nor 100 unless it is exactly that."""
    if share is None:
        return DASH
    if share in (0.0, 1.0):
        return f"{share:.0%}".replace("%", " %")
    digits = 1 if share > 0.99 or share < 0.01 else 0
    shown = min(max(100 * share, 0.1), 99.9)
    return f"{shown:.{digits}f} %"


def value_text(result: MetricResult | None) -> str:
    """A metric's value with its interval."""
    if result is None or result.value is None:
        return DASH
    shown = with_unit(result.value, result.unit)
    return shown if result.low is None else f"{shown} {interval(result.low, result.high)}"


def moment(text: str) -> datetime:
    """A time as documents tell it. Raises ConfigError for one that is no ISO-8601 time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"the run's time {text!r} is no ISO-8601 time") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def ago(text: str, now: datetime) -> str:
    """A time as people tell it: "12 min ago", "3 h ago", "yesterday", "12 Nov", "12 Nov 2025"."""
    then, here = moment(text).astimezone(), now.astimezone()
    minutes, days = (here - then).total_seconds() / 60, (here.date() - then.date()).days
    if 0 <= minutes < 60:
        return f"{int(minutes)} min ago"
    if minutes >= 0 and days < 2:
        return "yesterday" if days else f"{int(minutes / 60)} h ago"
    return f"{then.day} {then:%b}" + (f" {then.year}" if then.year != here.year else "")


def coverage_text(result: MetricResult) -> str:
    """Coverage, with the bounds where some units are unscored."""
    shown = percent(result.coverage)
    if result.bounds is None:
        return shown
    return f"{shown} ({number(result.bounds[0])} to {number(result.bounds[1])})"


def plain(value: Json) -> str:
    """A parameter's or fact's value on one line."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{one_line(str(key))}={plain(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(plain(one) for one in value) or "none"
    return one_line(str(value))
