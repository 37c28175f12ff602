"""JSON and YAML that mean one thing only.

Both refuse what readers elsewhere accept in silence and then disagree about: a key given twice, NaN and
infinity, numbers too big to be finite, halves of characters. Errors are ValueErrors whose text says what
is wrong and, where it is known, on which line; who reads knows which file it was.
"""

import json
import math
from collections.abc import Sequence
from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_json(text: str | bytes, *, nan: bool = False) -> Any:
    """The value of a JSON text. nan: take NaN and infinity, as Python writes them. Raises ValueError."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"not UTF-8 at byte {error.start}") from error
    try:
        value = (_PYTHONS if nan else _DECODER).decode(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError("holds half of a character (a lone surrogate)") from error
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: dict[str, None] = {}
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"key {key!r} is given twice")
            seen[key] = None
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"number {text[:40]} is too big")
    return number


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_refuse)
_PYTHONS = json.JSONDecoder(object_pairs_hook=_once)


def kind(value: Any) -> str:
    """What a JSON value is, in words: "an array", "a number" …"""
    names = {list: "an array", dict: "an object", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def read_yaml(text: str) -> Any:
    """The value of a YAML document of plain data. Raises ValueError."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _no_key_twice(node)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise ValueError(f"not YAML: {error.problem}{line}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"not YAML: {error}") from error


def _no_key_twice(node: Any) -> None:
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _no_key_twice(child)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, None] = {}
        for key, value in node.value:
            if key.value in seen:
                raise ValueError(f"key {key.value!r} is given twice (line {key.start_mark.line + 1})")
            seen[key.value] = None
            _no_key_twice(value)


def yaml_line(text: str, place: Sequence[str | int]) -> int | None:
    """The line, from 1, of the deepest part of `place` that the document has."""
    node = yaml.compose(text, Loader=_Loader)
    if node is None:
        return None
    line = node.start_mark.line
    for step in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = (node.value[step], node.value[step])
        else:
            found = None
        if found is None:
            break
        line, node = found[0].start_mark.line, found[1]
    return int(line) + 1
