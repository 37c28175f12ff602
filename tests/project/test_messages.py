"""The words of errors in `messages.toml`: each is raised, about what it speaks of."""

import ast
import string
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLES = tomllib.loads((ROOT / "suite/messages.toml").read_text("utf-8"))


def messages(tables: dict[str, object], room: str = "") -> dict[str, set[str]]:
    """Dotted name -> what its words speak of."""
    found: dict[str, set[str]] = {}
    for name, one in tables.items():
        assert isinstance(one, dict)
        if "what" in one:
            assert one.keys() <= {"what", "where", "fix"}
            fields = (field for line in one.values() for _, field, _, _ in string.Formatter().parse(line))
            found[room + name] = {field.partition(".")[0] for field in fields if field}
        else:
            found |= messages(one, f"{room}{name}.")
    return found


def test_every_message_is_raised_about_what_it_speaks_of() -> None:
    raised: dict[str, set[str]] = {}
    open_ended = set()
    for path in ROOT.glob("suite/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = (
                getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
            )
            if isinstance(node, ast.Call) and name in ("of", "worded"):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str) and "." in first.value:
                    raised[first.value] = {one.arg for one in node.keywords if one.arg}
                    open_ended |= {first.value for one in node.keywords if one.arg is None}
    wanted = messages(TABLES)
    assert raised.keys() == wanted.keys()
    for name, about in raised.items():
        assert about == wanted[name] or (name in open_ended and about < wanted[name]), name
