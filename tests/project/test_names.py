"""Names of the suite: a class's name is used once, a module is named by what it holds."""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(ROOT.glob("suite/**/*.py"))
# class -> why a second one has its name
TWICE: dict[str, str] = {}
# a word that says what is done and not what is held
VERB = re.compile(
    r".*ing|accept|ask|build|choose|compare|compute|correct|declare|define|execute|fetch|find|get|handle|load|make"
    r"|manage|merge|open|pack|parse|process|put|read|rerun|say|send|serve|sign|solve|split|submit|take|tell|try"
    r"|verify|walk|write"
)
NOUNS = {
    "embedding",
    "merging",
    "ranking",
    "rating",
    "reasoning",
    "sampling",
    "scoring",
    "testing",
    "thinking",
    "wording",
}
# modules and rooms named like what a person asks for
ACTS = {
    "compare": "the call, and the room of before",
    "cli/compare": "the command",
    "cli/submit": "the command",
    "board/define": "the room where a board is defined",
    "board/pack": "the room behind the command",
    "board/verify": "the room behind the command",
}


def test_a_class_s_name_is_used_once() -> None:
    places = defaultdict(list)
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    twice = {name: found for name, found in places.items() if len(found) > 1}
    assert {name: found for name, found in twice.items() if name not in TWICE} == {}
    assert set(TWICE) <= set(twice), "names that are unique by now"


def test_a_module_is_named_by_what_it_holds() -> None:
    names = {
        str(path.relative_to(ROOT / "suite").with_suffix("")).removesuffix("/__init__") for path in MODULES
    }
    last = {name: re.split("[/_]", name)[-1] for name in names}
    acting = {name for name, word in last.items() if VERB.fullmatch(word) and word not in NOUNS}
    assert acting - set(ACTS) == set()
    assert set(ACTS) <= names, "names that are gone"
