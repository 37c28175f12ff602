"""What may stand in a bundle: files of which names, none of which must become a path by mistake, and how much
is read before it is refused: absolute sizes are the guard.
"""

import re
from dataclasses import dataclass

from suite import files

MIB = 1024**2
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


@dataclass(frozen=True)
class SizeLimits:
    """Sizes in bytes unless said otherwise; a board may lower `archive`.

    An honest journal of nested conversations shrinks a hundredfold and more, a bomb some 32,000-fold: so
    `ratio` alone would tell them apart badly.
    """

    archive: int = 200 * MIB
    members: int = 2000
    content: int = 2048 * MIB  # one member, decompressed
    total: int = 8192 * MIB  # all members, decompressed
    line: int = 16 * MIB
    depth: int = 64
    string: int = 8192  # one string of submission.json
    manifest: int = 4 * MIB  # one JSON document
    readme: int = 64 * 1024
    window: int = 2**27  # of a zstd frame
    name: int = 240
    ratio: int = 4000
    rebuilt: int = 64 * 1024 * MIB  # requests put together again from their blocks, over all calls
    request: int = 64 * MIB  # one of them
