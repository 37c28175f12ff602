"""MkDocs hook: pages that are made and not kept: commands, JSON Schemas, CONTRIBUTING.md as a page, and the
site of the example board, whose repository is `docs/example-board`.

Its links into `docs/` are checked like any other; links to the rest of the tree become plain text, since the
site has no such pages. Not here: what the made pages say (`site_cli.py`, `site_schemas.py`).
"""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import site_cli
import site_schemas

ROOT = Path(__file__).resolve().parents[1]
BOARD = ROOT / "docs" / "example-board"
SCRATCH: list[str] = []  # where the board's site lies until MkDocs has copied it


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


def example_board(folder: Path) -> dict[str, Path]:
    """Build the example board below a folder. Address in the site -> file."""
    from suite.board.repository.shelves import open_repository
    from suite.board.site.pages import build_site

    site = build_site(open_repository(BOARD), folder / "site").folder
    paths = (path for path in sorted(site.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {f"{BOARD.name}/{path.relative_to(site).as_posix()}": path for path in paths}


def on_files(files: Any, config: Any) -> Any:
    """Add the made pages and the example board."""
    from mkdocs.structure.files import File

    for file in [one for one in files if one.src_uri.startswith(f"{BOARD.name}/")]:
        files.remove(file)  # the site of that repository stands there instead
    for address, text in made().items():
        files.append(File.generated(config, address, content=text))
    SCRATCH.append(tempfile.mkdtemp())
    for address, path in example_board(Path(SCRATCH[-1])).items():
        files.append(File.generated(config, address, abs_src_path=str(path)))
    return files


def on_post_build(config: Any) -> None:  # noqa: ARG001
    """Take away what was only made to be copied."""
    while SCRATCH:
        shutil.rmtree(SCRATCH.pop())
