"""Which folder a plan runs in: the default one, the one asked for, or a new one beside it."""

from pathlib import Path
from typing import Any

from suite.errors import RunError
from suite.journal.reading import read_json
from suite.journal.records import FORMAT
from suite.run.plan import Plan

RUNS = Path("runs")


def choose_folder(plan: Plan, out: Path | None, new: bool) -> Path:
    """The folder for a plan; it may hold an unfinished or finished run of the same plan.

    Raises RunError if it holds another plan (naming what differs), or anything that is no run.
    """
    if out is None:
        folder = RUNS / plan.default_name()
        if new:
            number = 2
            while folder.exists():
                folder = RUNS / f"{plan.default_name()}-{number}"
                number += 1
            return folder
    else:
        folder = out
        if new and (folder / "manifest.json").exists():
            raise RunError(
                f"{folder.name} holds a run already", where=str(folder), fix="name another folder with --out"
            )
    manifest = folder / "manifest.json"
    if manifest.exists():
        _same(plan, read_json(manifest), folder)
    elif folder.exists() and not folder.is_dir():
        raise RunError(f"{folder.name} is no folder", where=str(folder), fix="name another with --out")
    elif folder.is_dir() and any(folder.iterdir()) and not (folder / ".lock").exists():
        raise RunError(
            f"{folder.name} is not empty and holds no run",
            where=str(folder),
            fix="name an empty or new folder with --out",
        )
    return folder


def _same(plan: Plan, manifest: dict[str, Any], folder: Path) -> None:
    if manifest.get("format") != FORMAT:
        raise RunError(
            f"{folder.name} is in format {manifest.get('format')!r}, this suite writes {FORMAT!r}",
            where=str(folder / "manifest.json"),
            fix="name another folder with --out",
        )
    if manifest.get("plan_sha256") == plan.sha256:
        return
    differing = differences(manifest.get("plan") or {}, plan.solve_identity())
    raise RunError(
        f"{folder.name} holds a run of another plan; differing: {', '.join(differing) or 'unknown'}",
        where=str(folder / "manifest.json"),
        fix="name another folder with --out, or leave --out away",
    )


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Names of the fields that differ between two plain values, at most ten."""
    if isinstance(one, dict) and isinstance(other, dict):
        found: list[str] = []
        for key in [*one, *(key for key in other if key not in one)]:
            place = f"{path}.{key}" if path else str(key)
            if key not in one:
                found.append(f"{place} (only in this plan)")
            elif key not in other:
                found.append(f"{place} (only in the run)")
            else:
                found += differences(one[key], other[key], place)
        return found[:10]
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return [] if list(one) == list(other) else [f"{path} ({list(one)} there, {list(other)} here)"]
    return [] if one == other else [f"{path} ({one!r} there, {other!r} here)"]
