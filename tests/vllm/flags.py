"""The flags that a vLLM source tree takes: the fields of its argument classes, read without importing it.

    python tests/vllm/flags.py VERSION=FOLDER [VERSION=FOLDER …] > tests/models/vllm_flags.json

FOLDER is an unpacked wheel (its .py files are enough). The table holds names that all versions have, then
what each has beside them, with the reasoning parsers that it registers and the fields of a chat request.
"""

import ast
import json
import sys
from pathlib import Path

CLASSES = ("EngineArgs", "AsyncEngineArgs", "FrontendArgs", "BaseFrontendArgs")
PLACES = ("engine/arg_utils.py", "entrypoints/openai/cli_args.py", "entrypoints/serve/cli_args.py")


def fields(path: Path, classes: tuple[str, ...]) -> set[str]:
    """Annotated names of some classes of a file."""
    tree = ast.parse(path.read_text())
    return {
        item.target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name in classes
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }


def flags(root: Path) -> list[str]:
    """Names of flags, with hyphens and without dashes in front."""
    places = [root / place for place in PLACES if (root / place).is_file()]
    places += [one for one in root.glob("entrypoints/**/cli_args.py") if one not in places]
    names = set().union(*(fields(path, CLASSES) for path in places))
    return sorted(name.replace("_", "-") for name in names)


def parsers(root: Path) -> list[str]:
    """Names of the reasoning parsers."""
    tree = ast.parse((root / "reasoning/__init__.py").read_text())
    tables = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    found = {
        key.value
        for table in tables
        if isinstance(table, ast.Dict)
        for key in table.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    return sorted(found)


def chat_fields(root: Path) -> list[str]:
    """Fields of a chat request."""
    path = root / "entrypoints/openai/chat_completion/protocol.py"
    return sorted(fields(path, ("ChatCompletionRequest",)))


def table(trees: dict[str, Path]) -> dict[str, dict[str, list[str]]]:
    """What all have, by kind, under "all"; then what each has beside it."""
    kinds = {"flags": flags, "reasoning_parsers": parsers, "chat_fields": chat_fields}
    found = {version: {kind: read(root) for kind, read in kinds.items()} for version, root in trees.items()}
    every = {kind: sorted(set.intersection(*(set(one[kind]) for one in found.values()))) for kind in kinds}
    more = {
        version: {kind: sorted(set(names) - set(every[kind])) for kind, names in one.items()}
        for version, one in found.items()
    }
    return {"all": every, **more}


if __name__ == "__main__":
    given = dict(one.split("=", 1) for one in sys.argv[1:])
    text = json.dumps(table({version: Path(folder) for version, folder in given.items()}))
    print(text.replace("}, ", "},\n").replace("], ", "],\n "))
