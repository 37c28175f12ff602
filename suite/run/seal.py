"""The seal of a finished run: a hash over all its files, as they were when its reports were made.

While it fits, the same command shows the run, and nothing is repaired, computed or written again. A file that
is another, new or gone breaks it. Who verifies a run does not rest on it, and no bundle holds it.
"""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import suite
from suite.chat import sha256_hex
from suite.files import open_regular, read_regular, write_whole
from suite.journal.document_files import read_manifest
from suite.journal.run import RUNS
from suite.models.prices import own_prices
from suite.plugins import catalogue
from suite.run.code import code_record
from suite.run.manifest import versions
from suite.run.plan import Plan, counted

SEAL = "seal.sha256"  # beside the results
FILES = ("*.json*", "scorings/*/*.json*", "report.*", "report-parts/**/*")


def seal(plan: Plan, run: Path) -> None:
    """Seal a run with its reports, if the folder can be written to."""
    with suppress(OSError):
        write_whole(run / "scorings" / plan.scoring_id / SEAL, [_hash(plan, run)])


def sealed(plan: Plan, run: Path) -> bool:
    """Whether a plan is done in this folder, by the code of now, and all files are as they were."""
    with suppress(OSError):
        return read_regular(run / "scorings" / plan.scoring_id / SEAL, 64) == _hash(plan, run)
    return False


def recounted(plan: Plan, output: Path | None) -> Plan:
    """A plan with its counts: those of its run in this folder where that is sealed, else taken now."""
    run = output or RUNS / plan.default_name()
    if plan.request.limit is None and sealed(plan, run):  # a limited one needs its groups, too
        return replace(plan, counts=read_manifest(run / "manifest.json").counts)
    return counted(plan)


def _hash(plan: Plan, run: Path) -> bytes:
    """Over a run's files, and over what computed and drew them: code, versions, the user's prices."""
    code = _files_hash(Path(suite.__file__).parent, ["**/*[!c]"])  # but for what Python compiled
    rests_on = versions({one.distribution for one in catalogue().plugins})
    made_by = plan.sha256, code_record(plan.cells), code, rests_on, own_prices()
    return sha256_hex(repr((made_by, _files_hash(run, FILES))).encode()).encode()


def _files_hash(folder: Path, patterns: Iterable[str]) -> list[tuple[str, str]]:
    """(name, SHA-256) of the files of some patterns. Raises OSError where one cannot be read."""
    found = {one for each in patterns for one in folder.glob(each) if not one.is_dir()}

    def digest(path: Path) -> tuple[str, str]:
        with open_regular(path) as file:
            whole = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
        return path.relative_to(folder).as_posix(), whole.hexdigest()

    with ThreadPoolExecutor() as pool:  # hashing lets other threads run
        return sorted(pool.map(digest, found))
