# ruff: noqa: UP006, UP017, UP035, UP038, ARG001, ARG005
"""Python values as JSON and back, for crossing from an untrusted process: data only, no code, no pickle.

Types survive (a tuple is no list, 1 is no 1.0); named tuples and default dictionaries arrive as such, any
other subclass as the builtin it derives from, so no object with an `__eq__` of its own ever gets across;
`lossy` names the types that were simplified. Anything else is refused with `Opaque`.
Runs inside the sandbox too: standard library only (3.8 and later), nothing of suite; numpy and pandas are
used where a value is one of theirs.
"""

from __future__ import annotations

import base64
import collections
import datetime
import decimal
import fractions
import pathlib
from typing import Any, Callable, List

Value = Any  # whatever a program may give
Packed = List[Any]  # a tag, then what `pack` made of the parts
DEEPEST = 200
SAFE_INT = 1 << 53


lossy: list[str] = []
FACTORIES = {kind.__name__: kind for kind in (int, float, str, bool, list, dict, set, tuple)}


class Opaque(TypeError):
    """A value that is not plain data."""


def pack(value: Value, depth: int = 0) -> Value:
    """A value as JSON-able data. Raises Opaque for what is no plain data or nested too deeply."""
    if value is None or value is True or value is False:
        return value
    if depth > DEEPEST:
        raise Opaque("nested too deeply")
    for kind, put in _PACKERS:
        if isinstance(value, kind):
            if type(value) not in _EXACT and module_of(value) not in ("numpy", "pandas"):
                lossy.append(f"{type(value).__module__}.{type(value).__qualname__}")
            return put(value, depth + 1)
    module = module_of(value)
    if module in ("numpy", "pandas"):
        packed = _pack_numpy(value, depth + 1) if module == "numpy" else _pack_pandas(value, depth + 1)
        if packed is not None:
            return packed
    raise Opaque(f"{type(value).__module__}.{type(value).__qualname__} is no plain data")


def _many(tag: str, values: Value, depth: int) -> Packed:
    return [tag, *(pack(one, depth) for one in values)]


def _int(value: Value, depth: int) -> Value:
    plain = int.__index__(value)
    return plain if -SAFE_INT < plain < SAFE_INT else ["int", hex(plain)]


def _tuple(value: Value, depth: int) -> Packed:
    items = _many("tuple", tuple.__iter__(value), depth)
    fields = getattr(type(value), "_fields", None)
    if type(value).__bases__ != (tuple,) or not isinstance(fields, tuple):
        return items
    lossy.pop()
    return ["namedtuple", type(value).__name__, [str(one) for one in fields], *items[1:]]


def _dict(value: Value, depth: int) -> Packed:
    pairs = [[pack(k, depth), pack(v, depth)] for k, v in dict.items(value)]
    if type(value) is collections.defaultdict:
        name = getattr(value.default_factory, "__name__", "")
        if value.default_factory is None or FACTORIES.get(name) is value.default_factory:
            return ["defaultdict", name, *pairs]
        lossy.append("collections.defaultdict")
    for kind in (collections.Counter, collections.OrderedDict):
        if isinstance(value, kind):
            return [kind.__name__, *pairs]
    return ["dict", *pairs]


def _time(value: Value, depth: int) -> Packed:
    if module_of(value) == "pandas" or (getattr(value, "tzinfo", None) not in (None, datetime.timezone.utc)):
        raise Opaque("a moment with a time zone")
    kind = next(one for one in (datetime.datetime, datetime.date, datetime.time) if isinstance(value, one))
    return [kind.__name__, kind.isoformat(value)]


def _delta(value: Value, depth: int) -> Packed:
    if module_of(value) == "pandas":
        raise Opaque("a pandas duration")
    return ["timedelta", value.days, value.seconds, value.microseconds]


def module_of(value: Value) -> str:
    """Top package of a value's type."""
    return type(value).__module__.partition(".")[0]


def _float(value: Value, depth: int) -> Value:
    if module_of(value) == "numpy":
        return _pack_numpy(value, depth)
    return float.__float__(value)


def _str(value: Value, depth: int) -> str:
    return str.__str__(value) if type(value) is str else "".join(str.__getitem__(value, slice(None)))


_PACKERS: tuple[tuple[Value, Callable[[Value, int], Value]], ...] = (
    (str, _str),
    (int, _int),
    (float, _float),
    (list, lambda v, d: _many("list", list.__iter__(v), d)),
    (tuple, _tuple),
    (dict, _dict),
    (set, lambda v, d: _many("set", set.__iter__(v), d)),
    (frozenset, lambda v, d: _many("frozenset", frozenset.__iter__(v), d)),
    ((bytes, bytearray), lambda v, d: [
        "bytes" if isinstance(v, bytes) else "bytearray", base64.b64encode(bytes(v)).decode()
    ]),
    (complex, lambda v, d: ["complex", v.real, v.imag]),
    (collections.deque, lambda v, d: _many("deque", v, d)),
    (range, lambda v, d: ["range", *(_int(one, d) for one in (v.start, v.stop, v.step))]),
    ((datetime.datetime, datetime.date, datetime.time), _time),
    (datetime.timedelta, _delta),
    (decimal.Decimal, lambda v, d: ["Decimal", str(v)]),
    (fractions.Fraction, lambda v, d: ["Fraction", _int(v.numerator, d), _int(v.denominator, d)]),
    (pathlib.PurePath, lambda v, d: ["Path", str(v)]),
)  # fmt: skip
_EXACT = {str, int, float, list, tuple, dict, set, frozenset, bytes, bytearray, complex, range}
_EXACT |= {collections.deque, collections.Counter, collections.OrderedDict, collections.defaultdict}
_EXACT |= {datetime.datetime, datetime.date, datetime.time, datetime.timedelta, decimal.Decimal}
_EXACT |= {fractions.Fraction, pathlib.PosixPath, pathlib.PurePosixPath}


def _pack_numpy(value: Value, depth: int) -> Packed | None:
    import numpy

    if isinstance(value, numpy.generic):
        value, tag = numpy.asarray(value), "scalar"
    elif type(value) is numpy.ndarray:
        tag = "array"
    else:
        return None
    if value.dtype.kind not in "biufcSUmM":
        if value.dtype.kind == "O":
            return ["objects", list(value.shape), [pack(one, depth) for one in value.ravel().tolist()]]
        return None
    data = numpy.ascontiguousarray(value)
    return [tag, value.dtype.str, list(value.shape), base64.b64encode(data.tobytes()).decode()]


def _pack_pandas(value: Value, depth: int) -> Packed | None:
    import pandas

    def column(series: Value) -> Packed:
        packed = _pack_numpy(series.to_numpy(), depth)
        if packed is None or str(series.dtype) != str(series.to_numpy().dtype):
            raise Opaque(f"a column of {series.dtype}")
        return packed

    def index(one: Value) -> Packed:
        if type(one) is pandas.RangeIndex:
            return ["RangeIndex", one.start, one.stop, one.step, pack(one.name, depth)]
        if isinstance(one, pandas.MultiIndex) or getattr(one, "freq", None) is not None:
            raise Opaque("an index of several levels or with a frequency")
        return ["Index", column(one), pack(one.name, depth)]

    if isinstance(value, pandas.DataFrame):
        return ["DataFrame", index(value.columns), index(value.index), [
            column(value.iloc[:, at]) for at in range(value.shape[1])
        ]]  # fmt: skip
    if isinstance(value, pandas.Series):
        return ["Series", pack(value.name, depth), index(value.index), column(value)]
    if isinstance(value, pandas.Index):
        return index(value)
    return None


def unpack(data: Value) -> Value:
    """The value again. Raises ValueError for anything that `pack` does not make."""
    if not isinstance(data, list):
        if data is None or isinstance(data, (bool, int, float, str)):
            return data
        raise ValueError("no packed value")
    if not data or not isinstance(data[0], str):
        raise ValueError("no packed value")
    tag, rest = data[0], data[1:]
    try:
        if tag in _UNPACKERS:
            return _UNPACKERS[tag](rest)
        return _unpack_library(tag, rest)
    except (TypeError, KeyError, IndexError, ArithmeticError, RecursionError, MemoryError) as error:
        raise ValueError(f"no packed {tag}: {error}") from error


def _list(rest: Packed) -> Packed:
    return [unpack(one) for one in rest]


def _pairs(rest: Packed) -> dict[Value, Value]:
    return {unpack(key): unpack(value) for key, value in rest}


_UNPACKERS: dict[str, Callable[[Packed], Value]] = {
    "int": lambda rest: int(rest[0], 16),
    "list": _list,
    "tuple": lambda rest: tuple(_list(rest)),
    "namedtuple": lambda rest: collections.namedtuple(rest[0], rest[1])(*_list(rest[2:])),
    "defaultdict": lambda rest: collections.defaultdict(FACTORIES.get(rest[0]), _pairs(rest[1:])),
    "set": lambda rest: set(_list(rest)),
    "frozenset": lambda rest: frozenset(_list(rest)),
    "dict": _pairs,
    "Counter": lambda rest: collections.Counter(_pairs(rest)),
    "OrderedDict": lambda rest: collections.OrderedDict(_pairs(rest)),
    "deque": lambda rest: collections.deque(_list(rest)),
    "bytes": lambda rest: base64.b64decode(rest[0], validate=True),
    "bytearray": lambda rest: bytearray(base64.b64decode(rest[0], validate=True)),
    "complex": lambda rest: complex(float(rest[0]), float(rest[1])),
    "range": lambda rest: range(*_list(rest)),
    "datetime": lambda rest: datetime.datetime.fromisoformat(rest[0]),
    "date": lambda rest: datetime.date.fromisoformat(rest[0]),
    "time": lambda rest: datetime.time.fromisoformat(rest[0]),
    "timedelta": lambda rest: datetime.timedelta(*map(int, rest)),
    "Decimal": lambda rest: decimal.Decimal(rest[0]),
    "Fraction": lambda rest: fractions.Fraction(*_list(rest)),
    "Path": lambda rest: pathlib.Path(rest[0]),
}


def _unpack_library(tag: str, rest: Packed) -> Value:
    if tag in ("array", "scalar", "objects"):
        import numpy

        if tag == "objects":
            shape, items = rest
            flat = numpy.empty(len(items), dtype=object)
            for place, one in enumerate(items):
                flat[place] = unpack(one)
            return flat.reshape(tuple(map(int, shape)))
        name, shape, text = rest
        dtype = numpy.dtype(str(name))
        if dtype.kind not in "biufcSUmM":
            raise ValueError("no packed array")
        value = numpy.frombuffer(base64.b64decode(text, validate=True), dtype).reshape(tuple(map(int, shape)))
        return value[()] if tag == "scalar" else value.copy()
    if tag in ("DataFrame", "Series", "Index", "RangeIndex"):
        import pandas

        if tag == "RangeIndex":
            return pandas.RangeIndex(*map(int, rest[:3]), name=unpack(rest[3]))
        if tag == "Index":
            return pandas.Index(unpack(rest[0]), name=unpack(rest[1]))
        if tag == "Series":
            return pandas.Series(unpack(rest[2]), index=unpack(rest[1]), name=unpack(rest[0]))
        columns, index = unpack(rest[0]), unpack(rest[1])
        numbered = {place: unpack(one) for place, one in enumerate(rest[2])}
        frame = pandas.DataFrame(numbered, index=index)
        frame.columns = columns
        return frame
    raise ValueError(f"no packed {tag}")
