"""JSON and YAML that mean one thing only.

Both refuse what readers elsewhere accept in silence and then disagree about: a key given twice, NaN and
infinity, numbers too big to be finite, halves of characters. Errors are ValueErrors whose text says what
is wrong and, where it is known, on which line; who reads knows which file it was.
"""

import json
import math
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec
import yaml
from pydantic import BaseModel, ValidationError

from suite.chat import Json
from suite.errors import SuiteError
from suite.files import read_regular

BIGGEST = 2**53  # of an integer: beyond it, readers that use doubles see another one
ModelT = TypeVar("ModelT", bound=BaseModel)
TableT = TypeVar("TableT")
_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotStrict(ValueError):
    """Why a JSON text is refused. unquoted: the same in words that hold nothing of the text."""

    def __init__(self, what: str, unquoted: str = "") -> None:
        super().__init__(what)
        self.unquoted = unquoted or what


def read_json(text: str | bytes, *, nan: bool = False) -> Json:
    """The value of a JSON text. nan: take NaN and infinity, as Python writes them. Raises NotStrict."""
    text = _utf8(text) if isinstance(text, bytes) else text
    return _decoded(text.removeprefix("\ufeff"), _PYTHONS if nan else _DECODER)


def read_exact(data: bytes, depth: int = 64) -> Json:
    """The value of a JSON text that every reader understands alike: no byte order mark, no integer that a
    double cannot hold, nested at most that deep. Raises NotStrict.
    """
    text = _utf8(data)
    if text.startswith("\ufeff"):
        raise NotStrict("begins with a byte order mark")
    value = _decoded(text, _EXACT, depth)
    if deeper_than(value, depth):
        raise NotStrict(f"is nested deeper than {depth}")
    return value


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"not UTF-8 at byte {error.start}"
        raise NotStrict(what, f"is {what}") from error


def _decoded(text: str, decoder: json.JSONDecoder, depth: int = 0) -> Json:
    try:
        value: Json = decoder.decode(text)
    except json.JSONDecodeError as error:
        what = f"not JSON: {error.msg}"
        place = f"(line {error.lineno}, column {error.colno})"
        raise NotStrict(f"{what} {place}", f"is {what} (character {error.pos})") from error
    except RecursionError as error:
        raise NotStrict("nested too deeply", f"is nested deeper than {depth}") from error
    if "\\ud" in text or "\\uD" in text:  # perhaps one half of a character without the other
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            raise NotStrict("holds half of a character (a lone surrogate)") from error
    return value


def deeper_than(value: Json, depth: int) -> bool:
    """Whether objects and arrays are nested deeper than that."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(deeper_than(one, depth - 1) for one in inner)


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise NotStrict(f"key {twice!r} is given twice", "gives a key twice in one object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotStrict(f"number {text[:40]} is too big", "holds a number too big for a double")
    return number


def _exact(text: str) -> int:
    if len(text) > 17 or not -BIGGEST <= int(text) <= BIGGEST:
        raise NotStrict("holds an integer beyond 2^53")
    return int(text)


def _refuse(name: str) -> NoReturn:
    raise NotStrict(f"{name} is not a JSON number", f"holds {name}, which is no JSON number")


_PYTHONS = json.JSONDecoder(object_pairs_hook=_once)
_strict = partial(json.JSONDecoder, object_pairs_hook=_once, parse_float=_finite, parse_constant=_refuse)
_DECODER, _EXACT = _strict(), _strict(parse_int=_exact)


def kind(value: object) -> str:
    """What a JSON value is, in words: "an array", "a number" …"""
    names = {list: "an array", dict: "an object", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


LARGEST = 4 * 2**20  # bytes of a YAML or TOML file
_NO_FIELD = re.compile(r"(?:function-before|function-after|tuple|dict)\b.*|hub|git|package|bundled")
EXTRA = "extra_forbidden"
_EXPONENT = re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+")
_DEEPEST = 32
_MOST = 100_000  # nodes, aliases resolved
_CORE = "tag:yaml.org,2002:"
_TAGS = (None, "!", _CORE + "str", _CORE + "map", _CORE + "seq")
_PLAIN = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


class _Loader(_Base):  # type: ignore[misc, valid-type]
    yaml_implicit_resolvers: dict[str, Json] = {}  # noqa: RUF012


for _kind, (_pattern, _firsts) in _PLAIN.items():
    _Loader.add_implicit_resolver(_CORE + _kind, re.compile(rf"^(?:{_pattern})$"), [*_firsts, ""])


class _Dumper(yaml.SafeDumper):
    """Writes what `read_yaml` takes: nothing is named once and referred to."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def dump_yaml(value: object, width: int = 200) -> bytes:
    """A YAML document of plain data."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width)
    return text.encode()


def read_yaml_file(path: Path) -> Json:
    """The value of a YAML file. Raises ValueError."""
    return read_yaml(read_text(path))


def read_table(package: str, name: str, kind: type[TableT]) -> TableT:
    """A table that comes with a package as a YAML file, as this type."""
    return msgspec.convert(read_yaml((files(package) / name).read_text("utf-8")), kind)


def read_text(path: Path) -> str:
    """The text of a regular file that is not too large, without a byte order mark. Raises ValueError."""
    try:
        return read_regular(path, LARGEST).decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error


def read_yaml(text: str) -> Json:
    """The value of a YAML document of plain data: texts as keys, no tags, few aliases. Raises ValueError."""
    try:
        _check_events(text)
        value: Json = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader with fewer types
        _finite_all(value)
        return value
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise ValueError(f"not YAML: {error.problem}{line}") from error
    except (yaml.YAMLError, RecursionError, TypeError) as error:
        raise ValueError(f"not YAML: {error}") from error


class _Open:
    """A mapping or list that is being read. keys: so far; None for a list. nodes, depth: of what it holds."""

    def __init__(self, event: yaml.CollectionStartEvent) -> None:
        self.anchor: str | None = event.anchor
        self.keys: set[str] | None = set() if isinstance(event, yaml.MappingStartEvent) else None
        self.at_key = self.keys is not None
        self.nodes, self.depth = 1, 1


def _check_events(text: str) -> None:
    """Hold a document to what is allowed before anything of it is built. Raises ValueError."""
    stack: list[_Open] = []
    anchors: dict[str, tuple[int, int]] = {}  # name -> nodes and depth, with what it refers to
    for event in yaml.parse(text, Loader=_Loader):
        line = f"(line {event.start_mark.line + 1})" if event.start_mark else ""
        nodes, depth, anchor = 0, 0, None
        if isinstance(event, yaml.CollectionEndEvent):
            done = stack.pop()
            nodes, depth, anchor = done.nodes, done.depth, done.anchor
        elif isinstance(event, yaml.NodeEvent):
            if getattr(event, "tag", None) not in _TAGS:
                raise ValueError(f"tags are not allowed {line}")
            if stack and stack[-1].keys is not None:
                if stack[-1].at_key:
                    _new_key(event, stack[-1].keys, line)
                stack[-1].at_key = not stack[-1].at_key
            if isinstance(event, yaml.CollectionStartEvent):
                stack.append(_Open(event))
                continue
            nodes, anchor = 1, event.anchor
            if isinstance(event, yaml.AliasEvent):
                if event.anchor not in anchors:
                    raise ValueError(f"*{event.anchor} refers to nothing before it {line}")
                (nodes, depth), anchor = anchors[event.anchor], None
        if nodes and stack:
            stack[-1].nodes += nodes
            stack[-1].depth = max(stack[-1].depth, depth + 1)
        if nodes > _MOST or depth > _DEEPEST or len(stack) > _DEEPEST:
            raise ValueError(f"nested too deeply, or too large with its aliases {line}")
        if anchor:
            anchors[anchor] = nodes, depth


def _new_key(event: yaml.Event, known: set[str], line: str) -> None:
    if not isinstance(event, yaml.ScalarEvent):
        raise ValueError(f"a key must be a text {line}")
    if event.value in known:
        raise ValueError(f"key {event.value!r} is given twice {line}")
    plain = not event.style and event.tag is None
    if event.value == "<<" or (plain and any(re.fullmatch(one, event.value) for one, _ in _PLAIN.values())):
        raise ValueError(f"key {event.value!r} is not text: put it in quotes {line}")
    known.add(event.value)


def _finite_all(value: object) -> None:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            _finite_all(one)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is not finite")
    elif isinstance(value, str) and "\0" in value:
        raise ValueError("a text holds a NUL character")


def validated(kind: type[ModelT], value: object) -> ModelT:
    """A model of plain data. Raises ValidationError; for a value of another type than asked for, too, which a
    lenient reader would turn into it: true into 1, "1" into 1, "yes" into true.
    """
    return kind.model_validate_json(json.dumps(value), strict=True)


def read_model(path: Path, kind: type[ModelT], wrong: type[SuiteError], called: str, fix: str) -> ModelT:
    """The model in a YAML file. Raises `wrong`, naming file, line and field. called: what such a file is."""
    text = ""
    try:
        text = read_text(path)
        return validated(kind, read_yaml(text))
    except ValidationError as error:
        every = error.errors(include_url=False)
        outer = {one["loc"][:depth] for one in every for depth in range(len(one["loc"]))}
        each = sorted((one for one in every if one["loc"] not in outer), key=lambda one: one["type"] != EXTRA)
        first = each[0]
        place = [step for step in first["loc"] if not _NO_FIELD.fullmatch(str(step))]
        message = first["msg"].removeprefix("Value error, ")
        field, colon, rest = message.partition(": ")
        if not place and colon and field in kind.model_fields:
            place, message = [field], rest
        elif first["type"] == EXTRA:
            message = f"there is no field `{place[-1]}`"
        elif isinstance(given := first["input"], str) and _EXPONENT.fullmatch(given):
            message += f", and YAML 1.1 takes {given} for text: write a point and a sign, as in 1.0e-2"
        more = len(each) - 1
        others = f" (and {more} more mistake{'s' if more > 1 else ''})" if more else ""
        line, names = yaml_line(text, place), ".".join(map(str, place))
        where = f"{path}, line {line}, field `{names or 'the whole'}`" if line else f"{path}: it is empty"
        raise wrong(f"{path.name} is no valid {called}: {message}{others}", where, fix) from error
    except ValueError as error:
        raise wrong(f"{path.name} can't be read: {error}", where=str(path)) from error


def yaml_line(text: str, place: Sequence[str | int]) -> int | None:
    """The line, from 1, of the deepest part of `place` that the document has."""
    node = yaml.compose(text, Loader=_Loader)
    if node is None:
        return None
    line = node.start_mark.line
    for step in place:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = (node.value[step], node.value[step])
        if found is None:
            break
        line, node = found[0].start_mark.line, found[1]
    return int(line) + 1
