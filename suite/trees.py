"""Where two trees of plain values (mappings, lists, text, numbers) differ: one walk for all who compare.

How strict it is, its caller says. `exactly` is as strict as hashes are: true, 1 and 1.0 are three values, the
order of names is none. Computed numbers are compared within a tolerance (`suite.board.verify.equality`). A
name that only one side has differs from null too, unless `missing` says otherwise.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec

_encode = msgspec.json.Encoder(order="sorted").encode


class _Missing:
    def __repr__(self) -> str:
        return "no such value"


MISSING = _Missing()


def exactly(mine: object, theirs: object) -> bool:
    """Whether two values that JSON can hold are written the same."""
    if mine is MISSING or theirs is MISSING:
        return mine is theirs
    return _encode(mine) == _encode(theirs)


def differences(
    mine: object,
    theirs: object,
    path: str = "",
    *,
    same: Callable[[object, object], bool] = exactly,
    entry: Callable[[int, object], str] | None = None,
    missing: object = MISSING,
) -> Iterator[tuple[str, object, object]]:
    """(path, mine, theirs) of the smallest values that differ; paths are names joined by dots.

    path: of the trees themselves. entry: (index, value) -> what an entry of a list is called; with it, lists
    of one length are compared entry by entry, without it as one value. missing: stands for a name that the
    other side has not; None makes it equal to null.
    """
    below = partial(differences, same=same, entry=entry, missing=missing)
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        for key in [*mine, *(key for key in theirs if key not in mine)]:
            place = f"{path}.{key}" if path else str(key)
            yield from below(mine.get(key, missing), theirs.get(key, missing), place)
    elif (
        entry
        and isinstance(mine, list | tuple)
        and isinstance(theirs, list | tuple)
        and len(mine) == len(theirs)
    ):
        for index, (one, other) in enumerate(zip(mine, theirs, strict=True)):
            yield from below(one, other, f"{path}[{entry(index, one)}]")
    elif not same(mine, theirs):
        yield path, mine, theirs
