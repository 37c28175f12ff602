"""One reading of a program: does it parse, does it do anything, which constructs are in it.

Strict verdicts need the first two, applicability the third; one walk over the syntax tree serves all.
The tree is Python's own, so the Python version belongs to a run's facts.
"""

import ast
import io
import threading
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from suite_vibechecker.vericode.verdicts import Finding

LONGEST = 1_000_000  # characters; a longer program is refused unread
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)
BRACKETS = (ast.Call, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ImportFrom, ast.arguments)
OS_ERRORS = frozenset({"OSError", "IOError", "EnvironmentError", "WindowsError", "error"})
PATH_MODULES = frozenset({"os", "glob", "pathlib", "shutil"})
_filters = threading.Lock()


@dataclass(frozen=True, slots=True)
class Program:
    """What one reading found. problem: where parsing failed, None if it parses.
    has_statement: anything beside docstrings, `pass` and `...` at the top. holds: names of constructs."""

    problem: Finding | None
    has_statement: bool = False
    holds: frozenset[str] = frozenset()


def parse(source: str) -> ast.Module | Finding:
    """The syntax tree, or the place where parsing failed. Warnings about the program are dropped."""
    if len(source) > LONGEST:
        return Finding(1, 1, "syntax", f"the program is longer than {LONGEST:,} characters")
    try:
        with _filters, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except SyntaxError as error:
        return Finding(error.lineno or 1, max(error.offset or 1, 1), "syntax", error.msg)
    except (RecursionError, MemoryError):
        return Finding(1, 1, "syntax", "the program is nested too deeply to be parsed")
    except ValueError as error:  # lone surrogates, NUL characters in older versions
        return Finding(1, 1, "syntax", str(error))


def read(source: str) -> Program:
    """Parse a program and list what is in it."""
    tree = parse(source)
    if isinstance(tree, Finding):
        return Program(tree)
    holds = {"code"}
    for node in ast.walk(tree):
        holds.update(_constructs(node))
    if docstrings(tree) or ("#" in source and any(True for _ in comments(source))):
        holds.add("comment")
    return Program(None, any(not _idle(one) for one in tree.body), frozenset(holds))


def _idle(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _constructs(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield "function"
            yield from _of_function(node)
        case ast.Import():
            yield "import"
            yield from _of_modules([alias.name for alias in node.names])
        case ast.ImportFrom():
            yield "import"
            yield from _of_modules([node.module or ""])
        case ast.Constant(value=str()) | ast.JoinedStr():
            yield "string"
        case ast.Call(func=ast.Name(id="open")):
            yield "open"
            yield "path"
        case ast.Compare():
            yield "comparison"
        case ast.BoolOp():
            yield "boolean"
        case ast.Raise():
            yield from _of_raise(node)
        case ast.ExceptHandler():
            yield from _of_handler(node)
    if isinstance(node, BRACKETS) and _spans_lines(node):
        yield "multiline"


def _of_function(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """What matters only inside a function: blocks, locals, unpacking, ways out, filling loops."""
    for node in ast.walk(function):
        if isinstance(node, BLOCKS):
            yield "block"
        if isinstance(node, ast.For | ast.AsyncFor):
            yield "loop"
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield "local"
        if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Store):
            yield "unpacking"
        if isinstance(node, ast.Return | ast.Raise | ast.Continue | ast.Break):
            yield "way out"


def _of_modules(names: list[str]) -> Iterator[str]:
    roots = {name.partition(".")[0] for name in names}
    if roots & PATH_MODULES:
        yield "path"
    if "pandas" in roots:
        yield "pandas"


def _of_raise(node: ast.Raise) -> Iterator[str]:
    yield "raise"
    if isinstance(node.exc, ast.Call) and node.exc.args:
        yield "message"
    if node.exc is not None and OS_ERRORS & set(_names(node.exc)):
        yield "os error"


def _of_handler(node: ast.ExceptHandler) -> Iterator[str]:
    if node.type is not None and OS_ERRORS & set(_names(node.type)):
        yield "os error"
    if any(isinstance(inner, ast.Raise) and inner.exc is not None for inner in ast.walk(node)):
        yield "raise in handler"


def _names(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr


def _spans_lines(node: ast.AST) -> bool:
    if isinstance(node, ast.arguments):
        lines = [one.lineno for one in (*node.posonlyargs, *node.args, *node.kwonlyargs)]
        return bool(lines) and max(lines) > min(lines)
    first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
    return bool(last > first)


def docstrings(tree: ast.Module) -> list[Finding]:
    """Every docstring of the module, its classes and functions."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                found.append(Finding(first.lineno, first.col_offset + 1, "docstring", "A docstring"))
    return found


def comments(source: str) -> Iterator[Finding]:
    """Every comment. Raises what Python's tokenizer raises: TokenError, SyntaxError."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Finding(token.start[0], token.start[1] + 1, "comment", "A comment")


NEEDS = {
    "style_1": "code",
    "style_2": "import",
    "style_3": "code",
    "style_4": "multiline",
    "style_5": "string",
    "style_6": "local",
    "style_7": "open",
    "style_8": "comparison",
    "style_9": "unpacking",
    "logic_1": "code",
    "logic_2": "block",
    "logic_3": "block",
    "logic_4": "function",
    "logic_5": "local",
    "logic_6": "way out",
    "logic_7": "function",
    "logic_8": "loop",
    "logic_9": "boolean",
    "doc_1": "function",
    "doc_2": "comment",
    "doc_3": "code",
    "doc_4": "code",
    "doc_5": "code",
    "doc_6": "code",
    "error_1": "raise in handler",
    "error_2": "message",
    "error_3": "os error",
    "error_4": "message",
    "library_1": "path",
    "library_2": "pandas",
}


def applicable(program: Program, instruction: str) -> bool:
    """Whether a program holds what an instruction speaks of; one that does not parse always does."""
    return program.problem is not None or NEEDS[instruction] in program.holds
