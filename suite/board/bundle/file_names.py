"""The names of files in a bundle: which may stand there, and which must never become a path."""

import re

SUBMISSION = "submission.json"
SIGNATURE = "submission.json.sig"
README = "README.md"
JOURNALS = ("outputs", "calls", "blocks", "attempts")
SCORING_JOURNALS = ("scores", "calls", "blocks")
DOCUMENTS = ("manifest.json", "scoring/manifest.json", "scoring/results.json")
RUN_FILES = (
    *DOCUMENTS,
    *(f"{name}.jsonl.zst" for name in JOURNALS),
    *(f"scoring/{name}.jsonl.zst" for name in SCORING_JOURNALS),
)
RUN_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_RUN_PATH = re.compile(
    rf"runs/({RUN_ID.pattern})/({'|'.join(re.escape(name) for name in RUN_FILES)})", re.ASCII
)
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)


def run_path(name: str) -> tuple[str, str] | None:
    """(run id, file in its folder) of a listed name, None if it is no run's file."""
    found = _RUN_PATH.fullmatch(name)
    return (found[1], found[2]) if found else None


def allowed(name: str) -> bool:
    """Whether a file of this name may stand in a bundle."""
    return name in (SUBMISSION, SIGNATURE, README) or run_path(name) is not None


def unsafe(name: str) -> str:
    """Why a name must never become a path, "" if it may (whether or not it is allowed here)."""
    if not name or not name.isascii() or any(ord(c) < 32 or ord(c) == 127 for c in name):
        return "is empty, not ASCII, or holds control characters"
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        return "is absolute"
    if "\\" in name or ":" in name:
        return "holds a backslash or a colon"
    for part in name.split("/"):
        if part in ("", ".", ".."):
            return "holds an empty part, '.' or '..'"
        if part.endswith((".", " ")) or _DEVICE.match(part):
            return "means something else on other systems"
    return ""
