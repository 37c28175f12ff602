"""The commands that make the runs a board asks for, one for each of its items.

A role that the board pins is asked for with the options that pin it: its revision and the engine's own. What
no option can set (the engine's version, say) is said in a comment above the command.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from suite.board.define.board import Board, Item
from suite.board.define.parts import Seat
from suite.chat import Json
from suite.errors import worded
from suite.models.spec import parse_spec
from suite.plugins import Catalogue
from suite.run.cells import load_task
from suite.run.role_members import DEFAULTS, flag_of, roles_of


def commands(board: Board, model: str, plugins: Catalogue) -> list[str]:
    """`suite eval` lines and comments, ready for a shell. model: the candidate's spec.

    Raises NotFound, PluginError or ConfigError for a board that cannot be resolved here.
    """
    free = free_roles(board, plugins)
    lines = []
    for item in board.tasks:
        lines += [f"# {remark}" for remark in dict.fromkeys(_remarks(item, plugins))]
        words = ["suite", "eval", *_words(board, item, model, plugins)]
        for role in free.get(item.name, ()):
            lines.append(f"# {role}: the board leaves it open; put whom you want for SPEC")
            words += flag_of(role)
        lines.append(shlex.join(words))
    return lines


def free_roles(board: Board, plugins: Catalogue) -> dict[str, list[str]]:
    """Columns -> roles that their tasks cannot do without and the board does not fill.

    Raises NotFound, PluginError or ConfigError for a board that cannot be resolved here.
    """
    found: dict[str, list[str]] = {}
    cells = board.cells(plugins)
    for item in board.tasks:
        roles = roles_of(cells[item.name])
        known = {"candidate", *DEFAULTS, *item.roles}
        left = [name for name, of in roles.items() if name not in known and not all(r.optional for r in of)]
        if left:
            found[item.name] = left
    return found


def open_note(roles: Sequence[str]) -> str:
    """What it means that a board leaves roles open."""
    return worded("board.define.open", who=" and ".join(roles))


def _words(board: Board, item: Item, model: str, plugins: Catalogue) -> Iterator[str]:
    yield from ("--task", item.task)
    yield from _parameters(item, plugins)
    if item.data == "mini":
        yield "--mini"
    for flag, value, usual in (
        ("--limit", item.limit, None),
        ("--trials", item.trials, 1),
        ("--seed", item.seed or None, None),
        ("--prompts", item.prompts, "own"),
    ):
        if value != usual:
            yield from (flag, str(value))
    yield from flag_of("candidate", model)
    sampling = board.candidate.sampling
    yield from _options("", {} if isinstance(sampling, str) else sampling)
    for role, seats in item.roles.items():
        for number, seat in enumerate(seats, 1):
            scope = f"{role}." if len(seats) == 1 else f"{role}/{number}."
            yield from flag_of(role, seat.spec)
            yield from _options(scope, {**_pinning(seat, plugins), **seat.sampling})


def _pinning(seat: Seat, plugins: Catalogue) -> dict[str, Json]:
    """The engine options that make a role be recorded as the board wants it."""
    engine = plugins.load("provider", parse_spec(seat.spec).provider)
    found = msgspec.convert(seat.identity.get("options") or {}, dict[str, Json])
    for name in seat.identity.keys() - {"options"}:
        if name in engine.options or (name == "revision" and engine.open_options):
            found[name] = seat.identity[name]
    return dict(sorted(found.items()))


def _remarks(item: Item, plugins: Catalogue) -> Iterator[str]:
    """What the board wants of a role and no option sets; a revision left over comes with the weights."""
    for role, seats in item.roles.items():
        for seat in seats:
            free = seat.identity.keys() - _pinning(seat, plugins).keys() - {"options", "revision"}
            for name in sorted(free):
                yield f"{role} {seat.spec}: the board wants {name} = {json.dumps(seat.identity[name])}"


def _parameters(item: Item, plugins: Catalogue) -> Iterator[str]:
    given = [*item.parameters.items(), *item.score_parameters.items()]
    given += [(name, value) for name, values in item.sweep.items() for value in values]
    if not given:  # else --mini would take the preset of that name
        fields = load_task(plugins, item.task)[0].parameters_type()()
        given = [*{**fields.solve_values(), **fields.model_dump(mode="json")}.items()][:1]
    for name, value in given:
        yield from ("-P", f"{name}={_text(value)}")


def _options(scope: str, values: Mapping[str, Json]) -> Iterator[str]:
    for name, value in values.items():
        yield from ("-o", f"{scope}{name}={_text(value)}")


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
