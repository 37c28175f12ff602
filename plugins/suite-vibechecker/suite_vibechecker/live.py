"""How Live's tests read and compare values: the rules of the authors' checker, not LiveCodeBench's.

Only hidden tests count. Standard output is compared as a whole, stripped text; a function's arguments
are parsed line by line and its result is compared by `==` (a tuple is no list, floats are exact).
"""

import ast
import json
import re
from typing import Any

from suite_vibechecker.vericode.parsing import FUNCTIONS, parse

ENTRY = "solve"
TIMEOUT_S = 12  # the authors' figure, from which they derive one limit for all tests of a problem

_NAMED = re.compile(r"\s*[A-Za-z_]\w*\s*=(?!=)")


def wall_limit(tests: int) -> float:
    """Seconds for all tests of a problem together; one test alone has no limit."""
    return float((TIMEOUT_S + 1) * tests + 5)


def expected_text(output: str) -> str:
    """What standard output must be once stripped. A trailing "-" of the expected text is cut."""
    text = output.strip()
    return text[:-1].strip() if text.endswith("-") else text


def arguments(text: str) -> list[Any]:
    """Arguments of a call: one value a line, or `name = value, …` on a line."""
    values: list[Any] = []
    for line in text.split("\n"):
        if line.strip():
            values.extend(_named(line) if _NAMED.match(line) else [value(line)])
    return values


def value(text: str) -> Any:
    """One value: JSON, a quoted string, else the text itself."""
    text = text.strip()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1]
    return text


def _named(line: str) -> list[Any]:
    try:
        call = ast.parse(f"f({line})", mode="eval").body
        keywords = call.keywords if isinstance(call, ast.Call) else []
        return [ast.literal_eval(keyword.value) for keyword in keywords]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [value(line)]


def entry_point(code: str) -> str:
    """The function to call: `solve` if the module has one, however it is defined (in a branch, by assignment,
    by import), else the last function at the top, "" if there is none."""
    tree = parse(code)
    if not isinstance(tree, ast.Module):
        return ""
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        node = pending.pop()
        if ENTRY in _bound(node):
            return ENTRY
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            pending += [one for one in ast.walk(node) if isinstance(one, ast.stmt) and one is not node]
    names = [node.name for node in tree.body if isinstance(node, FUNCTIONS)]
    return names[-1] if names else ""


def _bound(node: ast.stmt) -> set[str]:
    """Names that a statement binds, not those in its blocks."""
    if isinstance(node, FUNCTIONS):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {one.asname or one.name for one in node.names}
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {one.id for target in targets if target for one in ast.walk(target) if isinstance(one, ast.Name)}
