"""MkDocs hook: pages that are made and not kept: commands, JSON Schemas, and CONTRIBUTING.md as a page.

Its links into `docs/` are checked like any other; links to the rest of the tree become plain text, since the
site has no such pages. Not here: what the made pages say (`site_cli.py`, `site_schemas.py`).
"""

import re
from pathlib import Path
from typing import Any

import site_cli
import site_schemas

ROOT = Path(__file__).resolve().parents[1]


def made() -> dict[str, str]:
    """Address in the site -> Markdown."""
    return {
        "cli.md": site_cli.page(),
        "schemas.md": site_schemas.page(ROOT / "registry"),
        "contributing.md": as_page((ROOT / "CONTRIBUTING.md").read_text("utf-8")),
    }


def as_page(text: str) -> str:
    """A text of the tree's root as a page of the site."""

    def link(found: re.Match[str]) -> str:
        label, target = found.groups()
        if target.startswith(("https://", "#")):
            return found[0]
        return f"[{label}]({target.removeprefix('docs/')})" if target.startswith("docs/") else label

    return re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", link, text)


def on_files(files: Any, config: Any) -> Any:
    """Add the made pages."""
    from mkdocs.structure.files import File

    for address, text in made().items():
        files.append(File.generated(config, address, content=text))
    return files
