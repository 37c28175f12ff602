"""The names of files in a bundle: which may stand there, and which must never become a path."""

import re

from suite import files

SUBMISSION = "submission.json"
SIGNATURE = "submission.json.sig"
README = "README.md"
_JOURNALS = ("outputs", "calls", "blocks", "attempts", "scoring/scores", "scoring/calls", "scoring/blocks")
RUN_FILES = (
    *("manifest.json", "scoring/manifest.json", "scoring/results.json"),
    *(f"{name}.jsonl.zst" for name in _JOURNALS),
)
_RUN_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


def run_path(name: str) -> tuple[str, str] | None:
    """(run id, file in its folder) of a listed name, None if it is no run's file."""
    first, _, rest = name.partition("/")
    run, _, file = rest.partition("/")
    return (run, file) if first == "runs" and _RUN_ID.fullmatch(run) and file in RUN_FILES else None


def place_of(name: str, scoring: str) -> str:
    """Where one of RUN_FILES lies in a run folder. scoring: the id of the one that is submitted."""
    return name.removesuffix(".zst").replace("scoring/", f"scorings/{scoring}/")


def allowed(name: str) -> bool:
    """Whether a file of this name may stand in a bundle."""
    return name in (SUBMISSION, SIGNATURE, README) or run_path(name) is not None


def unsafe(name: str) -> str:
    """Why a name must never become a path, "" if it may (whether or not it is allowed here)."""
    if not name or not name.isascii() or ":" in name:
        return "it is empty, not ASCII, or holds a colon"
    return files.unsafe(name)
