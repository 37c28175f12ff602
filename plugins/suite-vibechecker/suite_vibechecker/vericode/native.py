"""The three instructions that are checked without ruff: doc_4, doc_5 and doc_6.

Two of them judge the whole reply. Official rules first, what strict mode adds to them beside it.
"""

import json
import re
import tokenize

from suite_vibechecker.vericode.parsing import comments, docstrings, parse
from suite_vibechecker.vericode.verdicts import Finding, Mode

_OPENING = re.compile(r"\s*```python\s")
_TURN = re.compile(r"```\s*```json\s")


def findings(name: str, code: str, response: str, mode: Mode) -> tuple[Finding, ...]:
    """What breaks doc_4, doc_5 or doc_6; () if it is followed."""
    if name == "doc_4":
        return code_only(response)
    if name == "doc_5":
        return uncommented(code)
    return code_then_json(response, mode)


def code_only(response: str) -> tuple[Finding, ...]:
    """doc_4: the whole reply parses as Python."""
    tree = parse(response)
    return (tree,) if isinstance(tree, Finding) else ()


def uncommented(code: str) -> tuple[Finding, ...]:
    """doc_5: no comment token, no docstring; what cannot be read has failed."""
    tree = parse(code)
    if isinstance(tree, Finding):
        return (tree,)
    try:
        return tuple(sorted([*comments(code), *docstrings(tree)]))
    except (tokenize.TokenError, SyntaxError) as error:
        return (Finding(1, 1, "syntax", str(error)),)


def code_then_json(response: str, mode: Mode) -> tuple[Finding, ...]:
    """doc_6: one python fence, one json fence whose content loads, nothing else.

    The official pattern is lazy but not fenced in: it also accepts more fences inside either block;
    strict mode does not. Equal to matching `\\s*```python\\s(.*?)```\\s*```json\\s(.*?)```\\s*` to the end,
    in linear time.
    """
    text = response.rstrip()
    opening = _OPENING.match(text)
    turn = _TURN.search(text, opening.end()) if opening else None
    closing = len(text) - 3
    if opening is None:
        return (Finding(1, 1, "format", "The answer does not start with a python block"),)
    if turn is None or not text.endswith("```") or closing < turn.end():
        last = text.count("\n") + 1
        return (Finding(last, 1, "format", "The answer does not end with a json block after the code"),)
    line = text.count("\n", 0, turn.end()) + 1
    content = text[turn.end() : closing]
    if mode == "strict" and "```" in text[opening.end() : turn.start()] + content:
        return (Finding(line, 1, "format", "There are more than two blocks"),)
    try:
        json.loads(content)
    except (ValueError, RecursionError) as error:
        return (Finding(line, 1, "json", f"The json block does not load: {error}"),)
    return ()
