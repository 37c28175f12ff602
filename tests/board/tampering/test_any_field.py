"""Any recorded input or number, changed and sealed again, is found; what is free is listed here, and no more.

The list of free fields is the honest limit of the verifier: nothing that a number rests on stands in it.
"""

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import good_bundles
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tamper import KINDS, Forged

from suite.board.verify import verify
from suite.errors import SuiteError

# Hashes that follow from the rest: a seal makes them right again, so changing one changes nothing.
DERIVED = [
    r"(scoring/)?calls/\d+/(id|request_sha256)",
    r"scoring/scores/\d+/output_sha256",
    r"(manifest|scoring)/plan_sha256",
    r"(manifest|scoring)/cells/\d+/cell",
    r"scoring/scoring",
]
FREE = [
    # who answered, where the board does not say who it must be
    r"(manifest|scoring)/roles/\w+/\d+/(spec|identity)\b.*",
    # what the submitter says of the model and of himself
    r"submission/(model|submitter|disclosure|terms|created|suite_version|supersedes|x)\b.*",
    # at-score parameters of the first scoring: those of the scoring at hand count
    r"manifest/cells/\d+/score_parameters\b.*",
    # names, dates, machines, versions of other software, what an engine said it can do
    r"manifest/(name|created|suite|hardware|versions|skipped)\b.*",
    r"(manifest|scoring)/code/.*",
    r"(manifest|scoring)/roles/.*/(limits|capabilities|settings)\b.*",
    r"manifest/cells/\d+/(plugin|facts)\b.*",
    r"scoring/(started|run)\b.*",
    r"scoring/cells/\d+/facts\b.*",
    r"results/(run|scoring|level)",
    # a reply that nothing later quotes and no value depends on, and how it was got
    r"calls/\d+/(reply|times|attempt|cached|kept)\b.*",
    r"scoring/calls/\d+/(reply|times|attempt|cached|kept)\b.*",
    r"attempts/\d+/.*",
    # why a value is unscored, beyond the reason
    r".*/detail",
]
_FREE = re.compile("|".join(f"(?:{one})$" for one in (*DERIVED, *FREE)))


def leaves(value: Any, path: str) -> Iterator[str]:
    """Paths of all scalars below a tree; ~1 is a slash in a key, as in JSON Pointer."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, f"{path}/{key.replace('/', '~1')}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from leaves(one, f"{path}/{index}")
    else:
        yield path


def changed(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value + 0.125
    if value is None:
        return 1
    if re.fullmatch(r"[0-9a-f]{8,64}", value):
        return ("0" if value[0] != "0" else "1") + value[1:]
    return f"{value}x"


def put(tree: Any, path: str) -> None:
    """Change the scalar at a path."""
    *way, last = (step.replace("~1", "/") for step in path.split("/"))
    for step in way:
        tree = tree[int(step)] if isinstance(tree, list) else tree[step]
    key = int(last) if isinstance(tree, list) else last
    tree[key] = changed(tree[key])


def documents(forged: Forged) -> dict[str, Any]:
    """Everything in a bundle as plain trees."""
    found: dict[str, Any] = {name: msgspec.to_builtins(records) for name, records in forged.files.items()}
    plain = {"submission": forged.submission, "manifest": forged.manifest, "scoring": forged.scoring}
    found |= copy.deepcopy({**plain, "results": forged.results})
    del found["submission"]["files"]  # always sealed
    del found["manifest"]["plan"]  # always sealed
    return found


def split(path: str) -> tuple[str, str]:
    """(document, path in it)."""
    name = max(
        (
            one
            for one in (*KINDS, "submission", "manifest", "scoring", "results")
            if path.startswith(f"{one}/")
        ),
        key=len,
    )
    return name, path.removeprefix(f"{name}/")


def apply(forged: Forged, trees: dict[str, Any], path: str) -> None:
    """Change one scalar and seal what depends on it, but for the numbers."""
    name, inside = split(path)
    put(trees[name], inside)
    if name in KINDS:
        forged.files[name] = msgspec.convert(trees[name], list[KINDS[name]])  # type: ignore[valid-type]
    elif name == "submission":
        forged.submission = {**trees[name], "files": forged.submission["files"]}
    elif name == "results":
        forged.results = trees[name]
    else:
        before = forged.manifest.get("plan")
        setattr(forged, name, trees[name])
        if name == "manifest":
            forged.manifest["plan"] = before


@pytest.fixture(scope="module", params=["choice", "pairs"])
def subject(request: pytest.FixtureRequest, good: Callable[..., Any]) -> tuple[Path, Any, list[str]]:
    """(good bundle, its board, paths of all scalars that are not free)."""
    folder, board = good(request.param)
    forged = Forged(folder)
    paths = [path for name, tree in documents(forged).items() for path in leaves(tree, name)]
    bound = [path for path in paths if not _FREE.match(path)]
    assert len(bound) > 500
    return folder, board, bound


def check(subject: tuple[Path, Any, list[str]], path: str, scratch: Path) -> None:
    """One mutation is found."""
    folder, board, _ = subject
    forged = Forged(good_bundles.copy(folder, scratch / "bundle"))
    apply(forged, documents(forged), path)
    name, _ = split(path)
    try:
        forged.reseal(identities=name not in ("submission", "results"), numbers=False)
    except (LookupError, StopIteration, ValueError, SuiteError):
        forged.save()  # what refers to it can't be sealed any more: all the better found
    found = verify(forged.bundle, board=board)
    assert found.findings.errors or found.verdict == "incomplete", path


_SLOW_TO_MAKE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=_SLOW_TO_MAKE)
@given(place=st.integers(0, 2**31))
def test_a_changed_field_is_found(subject: Any, place: int, tmp_path_factory: Any) -> None:
    check(subject, subject[2][place % len(subject[2])], tmp_path_factory.mktemp("forged"))


@pytest.mark.slow
@settings(max_examples=50, deadline=None, suppress_health_check=_SLOW_TO_MAKE)
@given(kind=st.integers(0, 2**31), place=st.integers(0, 2**31))
def test_other_fields_each_time(subject: Any, kind: int, place: int, tmp_path_factory: Any) -> None:
    """Kinds of fields first: a run has thousands of calls and one seed."""
    kinds: dict[str, list[str]] = {}
    for path in subject[2]:
        kinds.setdefault(re.sub(r"/\d+(?=/|$)", "/*", path), []).append(path)
    paths = kinds[sorted(kinds)[kind % len(kinds)]]
    check(subject, paths[place % len(paths)], tmp_path_factory.mktemp("forged"))
