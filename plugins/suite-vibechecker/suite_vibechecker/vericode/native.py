"""The three instructions that are checked without ruff: doc_4, doc_5 and doc_6.

Two of them judge the whole reply. Official rules first, what strict mode adds to them beside it.
"""

import ast
import json
import re
import tokenize

from suite_vibechecker.vericode.parsing import comments, docstrings, parse
from suite_vibechecker.vericode.verdicts import Finding, Mode

_OPENING = re.compile(r"\s*```python\s*")
_TURN = re.compile(r"```\s*```json\s*")
_STRICT_OPENING = re.compile(r"\s*```python\s")
_STRICT_TURN = re.compile(r"```\s*```json\s")


def findings(name: str, code: str, response: str, mode: Mode) -> tuple[Finding, ...]:
    """What breaks doc_4, doc_5 or doc_6; () if it is followed."""
    if name == "doc_4":
        return code_only(response, mode)
    if name == "doc_5":
        return uncommented(code, mode)
    return code_then_json(response, mode)


def _parsed(text: str, mode: Mode) -> ast.Module | Finding:
    return parse(text, 0) if mode == "official" else parse(text)


def code_only(response: str, mode: Mode = "official") -> tuple[Finding, ...]:
    """doc_4: the whole reply parses as Python."""
    tree = _parsed(response, mode)
    return (tree,) if isinstance(tree, Finding) else ()


def uncommented(code: str, mode: Mode = "official") -> tuple[Finding, ...]:
    """doc_5: no comment token, no docstring; what cannot be read has failed."""
    tree = _parsed(code, mode)
    if isinstance(tree, Finding):
        return (tree,)
    try:
        return tuple(sorted([*comments(code), *docstrings(tree)]))
    except (tokenize.TokenError, SyntaxError) as error:
        return (Finding(1, 1, "syntax", str(error)),)


def code_then_json(response: str, mode: Mode) -> tuple[Finding, ...]:
    """doc_6: one python fence, one json fence whose content loads, nothing else.

    The official pattern is lazy but not fenced in: it also accepts more fences inside either block, and other
    words than "python" and "json" that begin with them; strict mode does not. Official verdicts equal those
    of the authors' pattern (test_doc_6), in linear time.
    """
    text = response.rstrip()
    strict = mode == "strict"
    opening = (_STRICT_OPENING if strict else _OPENING).match(text)
    if opening is None:
        return (Finding(1, 1, "format", "The answer does not start with a python block"),)
    turn = _turn(text, opening, strict)
    closing = len(text) - 3
    if turn is None or not text.endswith("```") or closing < turn.end():
        last = text.count("\n") + 1
        return (Finding(last, 1, "format", "The answer does not end with a json block after the code"),)
    line = text.count("\n", 0, turn.end()) + 1
    content = text[turn.end() : closing].strip()
    if strict and "```" in text[opening.end() : turn.start()] + content:
        return (Finding(line, 1, "format", "There are more than two blocks"),)
    try:
        json.loads(content)
    except (ValueError, RecursionError) as error:
        return (Finding(line, 1, "json", f"The json block does not load: {error}"),)
    return ()


def _turn(text: str, opening: re.Match[str], strict: bool) -> re.Match[str] | None:
    """Where the json block follows. The official pattern wants a character of code before, and takes one of
    the white space only where there is none after it."""
    if strict:
        return _STRICT_TURN.search(text, opening.end())
    found = _TURN.search(text, opening.end() + 1)
    spaced = opening.end() > text.index("```python") + len("```python")
    return found or (_TURN.match(text, opening.end()) if spaced else None)
