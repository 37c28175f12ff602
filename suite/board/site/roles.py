"""Who filled the roles that a board leaves open: entries under different judges do not compare."""

from collections.abc import Iterable

from suite.board.definition import Item
from suite.board.entry import ColumnResult
from suite.board.site.markup import name


def open_roles(item: Item, results: Iterable[ColumnResult | None]) -> list[str]:
    """Roles that the item does not fix and somebody filled, sorted."""
    filled = {role for one in results if one is not None for role in one.roles}
    return sorted(filled - set(item.roles))


def members(result: ColumnResult | None, role: str) -> str:
    """Who filled a role of an entry, "" if that is not known."""
    told = result.roles.get(role, ()) if result is not None else ()
    return ", ".join(name(one, 80) for one in told)
