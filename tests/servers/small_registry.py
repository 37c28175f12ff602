"""A small registry of our own to write entries into, and `suite` commands on it in real processes."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from suite.data.cache import Cache
from suite.data.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
QUESTIONS = [{"id": f"q-{i}", "text": f"Question number {i}?", "system": "metric"} for i in range(20)]
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "text": {"type": "string", "minLength": 1},
        "system": {"enum": ["metric", "imperial"]},
    },
    "required": ["id", "text", "system"],
    "additionalProperties": False,
}
RUN = """
import sys, click
from suite.cli.data import data, models
from suite.errors import SuiteError
try:
    code = click.Group(commands=[data, models]).main(sys.argv[1:], standalone_mode=False)
except SuiteError as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    code = 2
sys.exit(code or 0)
"""


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    """Rows as JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def sha256(content: bytes) -> str:
    """The hash of content."""
    return hashlib.sha256(content).hexdigest()


def listed(path: str, content: bytes, **more: Any) -> dict[str, Any]:
    """A file of an entry, pinned."""
    return {"path": path, "sha256": sha256(content), "bytes": len(content), **more}


@dataclass
class Place:
    """A registry folder and a cache to write to; `suite` commands on them run in processes of their own."""

    folder: Path
    cache_folder: Path

    def entry(self, name: str, kind: str = "datasets", **told: Any) -> None:
        """Write an entry."""
        base = {"id": name, "title": f"Test data {name}", "licence": {"name": "CC0-1.0"}}
        path = self.folder / kind / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({**base, **told}, sort_keys=False))

    def schema(self, name: str, schema: dict[str, Any]) -> None:
        """Write a row schema."""
        path = self.folder / "schemas" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(schema))

    @property
    def registry(self) -> Registry:
        """The registry."""
        return Registry(own=self.folder)

    @property
    def cache(self) -> Cache:
        """The cache, as a process that has just started sees it."""
        return Cache(self.cache_folder)

    def command(self, *words: str) -> list[str]:
        """The command line of a `suite` command on this registry."""
        patched = RUN.replace(
            "from suite.errors",
            "import suite.cli.pulls as fetching\nfrom suite.data.registry import Registry\n"
            "from pathlib import Path\n"
            f"fetching.registry = lambda: Registry(own=Path({str(self.folder)!r}))\n"
            "from suite.errors",
        )
        return [sys.executable, "-c", patched, *words]

    def start(self, *words: str, **environment: str) -> "subprocess.Popen[str]":
        """Start a `suite` command in a process of its own."""
        return subprocess.Popen(
            self.command(*words),
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def suite(self, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a `suite` command in a process of its own."""
        process = self.start(*words, **environment)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(words, process.returncode, out, err)
