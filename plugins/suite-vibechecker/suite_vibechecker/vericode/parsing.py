"""One reading of a program: does it parse, does it do anything, which constructs are in it.

Strict verdicts need the first two, applicability the third; one walk over the syntax tree serves all.
The tree is Python's own, so the Python version belongs to a run's facts.
"""

import ast
import io
import threading
import tokenize
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from suite_vibechecker.vericode.verdicts import Finding

LONGEST = 1_000_000  # characters; a longer program is refused unread, but not by official rules
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (ast.Module, ast.ClassDef, *FUNCTIONS)
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)
BRACKETS = (ast.Call, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ImportFrom, ast.arguments)
OS_ERRORS = frozenset({"OSError", "IOError", "EnvironmentError", "WindowsError", "error"})
PATH_MODULES = frozenset({"os", "glob", "pathlib", "shutil"})
_filters = threading.Lock()


@dataclass(frozen=True, slots=True)
class Program:
    """What one reading found. problem: where parsing failed, None if it parses.
    has_statement: anything beside docstrings, `pass` and `...` at the top. holds: names of constructs.
    source: where comments are looked for when somebody asks."""

    problem: Finding | None
    has_statement: bool = False
    holds: frozenset[str] = frozenset()
    source: str = ""


def parse(source: str, longest: int = LONGEST) -> ast.Module | Finding:
    """The syntax tree, or the place where parsing failed. Warnings about the program are dropped.

    longest: characters of the longest program that is read; 0 for any.
    """
    if 0 < longest < len(source):
        return Finding(1, 1, "syntax", f"the program is longer than {longest:,} characters")
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
    """Parse a program and list what is in it. A byte order mark before it is no part of it."""
    source = source.removeprefix("\ufeff")
    tree = parse(source)
    if isinstance(tree, Finding):
        return Program(tree)
    holds = {"code"}
    if docstrings(tree):
        holds.add("comment")
    pending: list[tuple[ast.AST, bool]] = [(tree, False)]
    while pending:  # a loop of its own: `ast.walk` takes three times as long, and functions are walked once
        node, inside = pending.pop()
        kind = type(node)
        if kind in _FINDERS:
            holds.update(_FINDERS[kind](node))
        inside = inside or kind in FUNCTIONS
        if inside and kind in _INSIDE:
            holds.update(_INSIDE[kind](node))
        for value in vars(node).values():
            if type(value) is list:
                pending += [(one, inside) for one in value if isinstance(one, ast.AST)]
            elif isinstance(value, ast.AST) and not isinstance(value, _LEAVES):
                pending.append((value, inside))
    return Program(None, any(not _idle(one) for one in tree.body), frozenset(holds), source)


def _idle(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


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


def _bracket(node: ast.AST) -> Sequence[str]:
    return ("multiline",) if _spans_lines(node) else ()


def _of_call(node: ast.Call) -> Iterator[str]:
    if isinstance(node.func, ast.Name) and node.func.id == "open":
        yield from ("open", "path")
    yield from _bracket(node)


def _of_import_from(node: ast.ImportFrom) -> Iterator[str]:
    yield "import"
    yield from _of_modules([node.module or ""])
    yield from _bracket(node)


def _stored(name: str) -> Callable[[Any], Sequence[str]]:
    return lambda node: (name,) if isinstance(node.ctx, ast.Store) else ()


def _always(*names: str) -> Callable[[Any], Sequence[str]]:
    return lambda _: names


_LEAVES = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop)
_FINDERS: dict[type[ast.AST], Callable[[Any], Iterable[str]]] = {
    **dict.fromkeys(BRACKETS, _bracket),
    **dict.fromkeys(FUNCTIONS, _always("function")),
    ast.Import: lambda node: ("import", *_of_modules([alias.name for alias in node.names])),
    ast.ImportFrom: _of_import_from,
    ast.Constant: lambda node: ("string",) if isinstance(node.value, str) else (),
    ast.JoinedStr: _always("string"),
    ast.Call: _of_call,
    ast.Compare: _always("comparison"),
    ast.BoolOp: _always("boolean"),
    ast.Raise: _of_raise,
    ast.ExceptHandler: _of_handler,
}
# what matters only inside a function: blocks, locals, unpacking, ways out, filling loops
_INSIDE: dict[type[ast.AST], Callable[[Any], Iterable[str]]] = {
    **dict.fromkeys(BLOCKS, _always("block")),
    ast.For: _always("block", "loop"),
    ast.AsyncFor: _always("block", "loop"),
    ast.Name: _stored("local"),
    ast.Tuple: _stored("unpacking"),
    ast.List: _stored("unpacking"),
    **dict.fromkeys((ast.Return, ast.Raise, ast.Continue, ast.Break), _always("way out")),
}


def docstrings(tree: ast.Module) -> list[Finding]:
    """Every docstring of the module, its classes and functions."""
    found = []
    pending: list[Any] = [tree]
    while pending:  # only statements can hold definitions
        node = pending.pop()
        first = node.body[0] if isinstance(node, DEFINITIONS) and node.body else None
        if (
            isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            found.append(Finding(first.lineno, first.col_offset + 1, "docstring", "A docstring"))
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, name, ())
            if isinstance(inner, list):
                pending += inner
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
    need = NEEDS[instruction]
    if program.problem is not None or need in program.holds:
        return True
    return need == "comment" and "#" in program.source and any(True for _ in comments(program.source))


def parses(source: str) -> bool:
    """Whether a text is a program that Python can read."""
    return bool(source.strip()) and not isinstance(parse(source), Finding)
