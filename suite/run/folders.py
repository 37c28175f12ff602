"""Which folder a plan runs in: the default one, the one asked for, or a new one beside it."""

from itertools import islice
from pathlib import Path

from suite.chat import Json
from suite.errors import RunError
from suite.journal.document_files import read_manifest
from suite.journal.run import RUNS
from suite.run.plan import Plan
from suite.trees import MISSING, differences


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
                f"{folder.name} holds a run already",
                where=str(folder),
                fix="name another folder with --output",
            )
    manifest = folder / "manifest.json"
    if manifest.exists():
        _same(plan, manifest)
    elif folder.exists() and not folder.is_dir():
        raise RunError(f"{folder.name} is no folder", where=str(folder), fix="name another with --output")
    elif folder.is_dir() and any(folder.iterdir()) and not (folder / ".lock").exists():
        raise RunError(
            f"{folder.name} is not empty and holds no run",
            where=str(folder),
            fix="name an empty or new folder with --output",
        )
    return folder


def _same(plan: Plan, path: Path) -> None:
    manifest = read_manifest(path)
    if manifest.plan_sha256 == plan.sha256:
        return
    fields = differing(manifest.plan, plan.solve_identity())
    raise RunError(
        f"{path.parent.name} holds a run of another plan; differing: {', '.join(fields) or 'unknown'}",
        where=str(path),
        fix="name another folder with --output, or leave --output away",
    )


def differing(run: Json, plan: Json) -> list[str]:
    """Which fields of a run's plan and of this one differ, as their hashes do; at most ten."""
    found = []
    for path, there, here in islice(differences(run, plan), 10):
        if there is MISSING:
            found.append(f"{path} (only in this plan)")
        elif here is MISSING:
            found.append(f"{path} (only in the run)")
        else:
            found.append(f"{path} ({_listed(there)!r} there, {_listed(here)!r} here)")
    return found


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
