"""The board for machines: the rows of its table, data.json (schema board-data.v1.json) and entries.csv. What
stands in them: `templates/rows.json.j2`, `templates/data.json.j2`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from suite.board.bundle.schemas import validator
from suite.board.rank.state import RankTable, State
from suite.board.site.page_templates import environment
from suite.report.tables import csv_lines

_PARTS = ("value", "low", "high", "n", "unscored", "rank", "rank_low", "rank_high")
_NESTED = ("columns", "others", "exposed", "leave_one_out")


class TableCell(msgspec.Struct, frozen=True, array_like=True):
    """What stands in a cell: see `templates/rows.json.j2`."""

    text: str
    key: int | float | str | None
    sub: str
    marks: Sequence[str]


class Row(msgspec.Struct, frozen=True, array_like=True):
    """An entry's row. short: its id on the site. facets: values that filters use."""

    short: str
    href: str
    facets: Mapping[str, str]
    cells: Sequence[TableCell]


def rows(state: State, table: RankTable) -> list[Row]:
    """All rows, in order."""
    text = environment().get_template("rows.json.j2").render(state=state, board=state.board, table=table)
    return msgspec.json.decode(text, type=list[Row])


def script_rows(found: Sequence[Row]) -> str:
    """The same rows as a script that hands them to the page: a file: page may load scripts, but not data."""
    text = msgspec.json.encode(found).decode()
    # these two end a line in older readers of scripts; "<" so that no markup can be seen in it by anyone
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("<", "\\u003c")
    return f"suiteBoard.rows({text});\n"


def data_json(state: State) -> bytes:
    """Everything that the tables show, on one line."""
    entries = [(table, one) for table in state.tables for one in table.rows]
    template = environment().get_template("data.json.j2")
    text = template.render(state=state, board=state.board, entries=entries)
    return msgspec.json.encode(msgspec.json.decode(text))


def entries_csv(state: State) -> str:
    """The tables as CSV, with a guard against formulas; an empty cell for what is not known."""
    data = msgspec.json.decode(data_json(state))
    schema: Any = validator("board-data.v1.json").schema
    fields = schema["$defs"]["EntryData"]["properties"]
    plain = [field for field in fields if field not in _NESTED]
    keys = [item["key"] for item in data["items"]]
    heads = ["kind" if field == "class" else field for field in plain]
    rows = [[*heads, *(f"{key} {part}" for key in keys for part in _PARTS)]]
    for entry in data["entries"]:
        values = ["; ".join(one) if isinstance(one := entry[field], list) else one for field in plain]
        by_key = {one["key"]: one for one in entry["columns"]}
        values += [by_key[key][part] if key in by_key else None for key in keys for part in _PARTS]
        rows.append(values)
    return "".join(csv_lines(rows, True))
