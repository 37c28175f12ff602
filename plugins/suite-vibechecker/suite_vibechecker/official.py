"""How the authors' harness judges a program, for `passed_official`: weaker than ours, kept for their rows.

Live: all tests of a problem run in one process, which executes the program's text anew for each, with
standard streams replaced by texts and parts of the library switched off; arguments are read in another way
than ours. A program can forge that. Big: the module of stub, program and tests, as BigCodeBench runs it
(`functional`).
Source: read in the authors' release at 767d190 (evaluator, livecodebench_utils); told in our own words.
"""

import ast
import json
import re
from importlib.resources import files
from typing import Any, NamedTuple

from suite_vibechecker.live import expected_text
from suite_vibechecker.rows import Case, LiveRow
from suite_vibechecker.vericode.parsing import parse

FAILED = "no answer: every attempt failed"  # stands for the error text that they judge in an answer's place
_LAST_BLOCK = re.compile(r"```(?:[a-zA-Z]*)\n(.*?)```", re.DOTALL)


class Asked(NamedTuple):
    """A call of `official_runner.run`, and the list of outcomes that it must give."""

    arguments: list[Any]
    expected: list[Any]


def program(solution: str, reply: str) -> str:
    """What they run of an answer: left-over fences and tags cut off; without a solution, the last block."""
    if not solution.strip():
        blocks = _LAST_BLOCK.findall(reply)
        solution = blocks[-1] if blocks else reply
    if not solution.strip():
        return ""
    cut = solution.split("</code>")[0].replace("```python", "").split("```")[0]
    return cut.replace("<code>", "")


def asked(row: LiveRow, code: str) -> Asked | None:
    """What to run for a problem and a program; None where they fail it without a run."""
    cases = row.private()
    if not cases:
        return Asked([code, "", []], [])
    try:
        if cases[0].kind != "functional":
            return Asked(
                [code, "", [one.input for one in cases]],
                [["text", expected_text(one.output)] for one in cases],
            )
        extracted = row.kind != "stdin"
        given = [arguments(one.input) if extracted else [one.input] for one in cases]
        expected = [["value", value(one) if extracted else one.output] for one in cases]
        return Asked([code, entry_point(code), given], expected)
    except (ValueError, IndexError):
        return None


def arguments(text: str) -> list[Any]:
    """Arguments of a call. Raises ValueError where theirs does.

    With a "=" anywhere: parts between commas, what follows their "=" as a number, else a text without its
    double quotes. Else a value a line: a quoted text, JSON only in brackets, a number, else the text.
    """
    if "=" in text:
        return [_number(_after_equals(part), quotes='"') for part in text.split(",")]
    values: list[Any] = []
    for line in filter(None, map(str.strip, text.split("\n"))):
        if line.startswith('"') and line.endswith('"'):
            values.append(line.strip('"'))
        elif line.startswith("[") and line.endswith("]"):
            values.append(json.loads(line))
        else:
            values.append(_number(line))
    return values


def _after_equals(part: str) -> str:
    _, after = part.split("=")  # none or several: ValueError, as there
    return after.strip()


def _number(text: str, quotes: str = "") -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip(quotes) if quotes else text


def value(case: Case) -> Any:
    """The expected result: JSON, else the text."""
    text = case.output.strip()
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def entry_point(code: str) -> str:
    """`solve`, else the last function at the top, coroutines included, else the word before the first
    parenthesis. Raises IndexError where theirs does."""
    guess = code.strip().split("(", 1)[0].split()[-1]
    tree = parse(code)
    if not isinstance(tree, ast.Module):
        return guess
    names = [one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return "solve" if "solve" in names else (names[-1] if names else guess)


def runner() -> str:
    """The program that runs in the sandbox in the candidate's place."""
    return files("suite_vibechecker").joinpath("official_runner.py").read_text("utf-8")
