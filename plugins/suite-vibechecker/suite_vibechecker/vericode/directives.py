"""Comments that switch a checker off, and the same program without their effect.

Strict mode judges what a program is, not what it says of itself. `--ignore-noqa` covers one family only:
import sorting has its own comments, and long lines are excused that end in a comment to any checker. So the
word that a tool looks for loses its meaning, in place: the length of every line, and so every finding, stays.
"""

import io
import re
import tokenize
from collections.abc import Iterator

_TOOLS = (
    "autopep8|bandit|black|coverage|cython|darker|fmt|flake8|isort|mypy|nosemgrep|pep8|pragma|pyflakes|pylint|"
    "pyre|pyre-fixme|pyre-ignore|pyright|pytype|ruff|ty|type|yapf"
)
_WORDS = "noqa|nosec|nolint|nosemgrep|nopep8|nopycln"
_DIRECTIVE = re.compile(
    rf"(?P<word>{_WORDS})|\b(?:{_TOOLS})(?P<colon>\s*[:=\[])|(?P<block>///)", re.IGNORECASE
)


def neutral(source: str) -> str:
    """The program with every such comment made an ordinary one of the same length.

    Comments are found by the tokenizer; in what it can't read, on every line after a "#".
    """
    lines = source.split("\n")
    for row, column, text in _comments(source, lines):
        changed = _DIRECTIVE.sub(_harmless, text)
        line = lines[row - 1]
        lines[row - 1] = line[:column] + changed + line[column + len(text) :]
    return "\n".join(lines)


def _comments(source: str, lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """(line from 1, column from 0, text) of every comment."""
    if not _DIRECTIVE.search(source):
        return
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source, newline="\n").readline))
    except (tokenize.TokenError, SyntaxError):
        for row, line in enumerate(lines, 1):
            before, mark, after = line.partition("#")
            if mark:
                yield row, len(before), mark + after
    else:
        yield from ((*one.start, one.string) for one in tokens if one.type == tokenize.COMMENT)


def _harmless(match: re.Match[str]) -> str:
    text = match.group()
    if match["word"]:
        return "x" + text[1:]
    return text[:-1] + ("." if match["colon"] else "_")
