"""How Live's tests read and compare values: the rules of the authors' checker, not LiveCodeBench's.

Only hidden tests count. Standard output is compared as a whole, stripped text; a function's arguments
are parsed line by line and its result is compared by `==` (a tuple is no list, floats are exact).
"""

import ast
import json
import re
from typing import Any

from suite_vibechecker.vericode.parsing import parse

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
    """The function to call: `solve`, else the last function at the top, "" if there is none."""
    tree = parse(code)
    if not isinstance(tree, ast.Module):
        return ""
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return ENTRY if ENTRY in names else (names[-1] if names else "")
