"""A bundle opened: unpacked under names of our own, with everything it says of itself held against itself.

The first rungs of the ladder are climbed on the way. R0: only what may stand in a bundle, in safe bytes,
within the limits. R1: every document and record has its declared shape. R2: hashes, counts, checksums,
identities and references agree. Not here: the byte formats (`archive`, `folder`, `frames`), records
(`records_check`), any rung that needs tasks or data (`verify`).
"""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from suite.board.bundle.archive import Archive
from suite.board.bundle.bounds import README, RUN_FILES, SIGNATURE, SUBMISSION, SizeLimits, place_of
from suite.board.bundle.documents_check import check_documents, documents_of
from suite.board.bundle.folder import Folder
from suite.board.bundle.frames import unpack
from suite.board.bundle.records_check import RecordsCheck
from suite.board.bundle.rungs import Findings, Refused, refuse
from suite.board.bundle.signatures import MOST_BYTES
from suite.board.bundle.submission import ListedFile, Submission, SubmittedRun, check_submission
from suite.chat import Json
from suite.data import strict_syntax
from suite.errors import BundleError
from suite.files import trying
from suite.journal.documents import RunManifest

_LIMITS = SizeLimits()
_SUBMISSION_BYTES = 2**20
_MOST_FAMILIES = 100


@dataclass(frozen=True)
class BundleRun:
    """One run of a bundle.

    entry: what submission.json says of it. folder: an ordinary run folder, with one scoring. sound:
    whether R1 and R2 found no error in it; nothing may be concluded from a run that is not.
    """

    entry: SubmittedRun
    folder: Path
    sound: bool


@dataclass(frozen=True)
class Bundle:
    """A bundle's content. id: SHA-256 of submission.json, whose bytes are `manifest`. signature: of these
    bytes, None if there is none; not checked. The run folders vanish when it is closed.
    """

    id: str
    submission: Submission
    runs: tuple[BundleRun, ...]
    readme: str
    manifest: bytes = b""
    signature: bytes | None = None


Source = Archive | Folder
"""The files of a bundle, as an archive or a folder holds them."""


@contextmanager
def open_bundle(path: Path, findings: Findings, limits: SizeLimits = _LIMITS) -> Iterator[Bundle | None]:
    """Open a bundle, archive or folder, climbing R0, R1 and R2; what they find goes into `findings`.

    Yields None if it must not be read further: R0 found it unsafe, or R1 its submission.json unusable.
    Raises BundleError if there is no bundle at all: no file, no ZIP, no submission.json.
    """
    with closing(source_of(path)) as source, tempfile.TemporaryDirectory(prefix="suite-bundle-") as scratch:
        with findings.climbing("R0"):
            safe = source.scan(findings, limits)
        if not safe:
            findings.not_run("the container is not safe to read", "R1", "R2")
            yield None
            return
        fix = "make room there, or name a bigger place with TMPDIR"
        with trying("unpack the bundle", Path(scratch), fix, BundleError):
            bundle = _Opening(source, Path(scratch), findings, limits).bundle(path)
        yield bundle


def source_of(path: Path) -> Source:
    """A bundle's files. Raises BundleError if there is no bundle: no file, no ZIP."""
    if path.is_dir():
        return Folder(path)
    if path.is_file():
        return Archive(path)
    if path.exists():
        raise BundleError(f"{path.name} is neither a file nor a folder", where=str(path))
    raise BundleError(f"there is no bundle {path.name}", where=str(path))


class _Opening:
    """One bundle being unpacked."""

    def __init__(self, source: Source, scratch: Path, findings: Findings, limits: SizeLimits) -> None:
        self._source, self._scratch = source, scratch
        self._findings, self._limits = findings, limits
        self._total = 0
        self._budget = [limits.rebuilt]
        self._listing: dict[str, ListedFile] = {}

    def bundle(self, path: Path) -> Bundle | None:
        if SUBMISSION not in self._source.sizes:
            raise BundleError.of("board.contents.no-submission", path=path)
        with self._findings.climbing("R1"):
            raw = self._small(SUBMISSION, _SUBMISSION_BYTES)
            value = None if raw is None else self._strict(raw, SUBMISSION)
            submission = None if value is None else check_submission(value, self._findings, self._limits)
        if raw is None or submission is None:
            self._findings.not_run(f"{SUBMISSION} cannot be used", "R2")
            return None
        self._listing = {one.path: one for one in submission.files}
        with self._findings.climbing("R2"):
            bad = self._compare_listing()
        if sum(one.content_bytes for one in self._listing.values()) > self._limits.total:
            self._findings.add("R0.too-big", "", self._limits.total)
            return None
        runs = tuple(self._run(number, entry, bad) for number, entry in enumerate(submission.runs))
        readme = self._readme()
        signature = self._small(SIGNATURE, MOST_BYTES)
        if self._findings.rungs["R0"].errors:
            self._findings.not_run("a file of the bundle is not safe to read", "R1", "R2")
            return None
        return Bundle(hashlib.sha256(raw).hexdigest(), submission, runs, readme, raw, signature)

    def _small(self, name: str, most: int) -> bytes | None:
        """The bytes of a file, None if it is not there or too big."""
        if self._source.sizes.get(name, 0) > most:
            self._findings.add("R0.too-big/document", name, most)
            return None
        if name not in self._source.sizes:
            return None
        with self._source.open(name) as file:
            return file.read(most + 1)

    def _strict(self, raw: bytes, name: str) -> Json:
        try:
            return strict_syntax.read_exact(raw, self._limits.depth)
        except strict_syntax.NotStrict as error:
            self._findings.add("R1.not-strict-json", name, error.unquoted)
            return None

    def _compare_listing(self) -> set[str]:
        """Hold the files there against the list; names of those that differ."""
        findings, sizes, listed = self._findings, self._source.sizes, self._listing
        bad: set[str] = set()
        for name in sorted(set(sizes) - set(listed) - {SUBMISSION, SIGNATURE}):
            findings.add("R2.unlisted-file", name)
        for name, one in sorted(listed.items()):
            before = findings.errors
            if name not in sizes:
                findings.add("R2.missing-file", name)
            else:
                with self._source.open(name) as file:
                    size, sha256 = sizes[name], hashlib.file_digest(file, "sha256").hexdigest()
                if size != one.bytes:
                    findings.add("R2.size-differs", name, expected=one.bytes, found=size)
                elif sha256 != one.sha256:
                    findings.add("R2.bytes-differ", name, expected=one.sha256, found=sha256)
                if not name.endswith(".zst") and (one.content_bytes, one.content_sha256) != (size, sha256):
                    findings.add("R2.content-differs", name)
            if findings.errors > before:
                bad.add(name)
        return bad

    def _run(self, number: int, entry: SubmittedRun, bad: set[str]) -> BundleRun:
        findings = self._findings
        before = findings.errors
        base = f"runs/{entry.run_id}/"
        folder = self._scratch / str(number)
        (folder / "scorings" / entry.scoring).mkdir(parents=True)
        files = {name: folder / place_of(name, entry.scoring) for name in RUN_FILES}
        values: dict[str, Json] = {}
        with findings.climbing("R2"):
            for name, place in files.items():
                if base + name not in self._source.sizes:
                    continue
                if name.endswith(".zst"):
                    self._unpack(base + name, place, base + name in bad)
                elif (raw := self._small(base + name, self._limits.manifest)) is not None:
                    place.write_bytes(raw)
                    values[name] = self._strict(raw, base + name)
        whole = findings.errors == before and not any(base + name in bad for name in RUN_FILES)
        if whole:
            with findings.climbing("R1"):
                documents = documents_of(values, base, findings)
            if documents is not None:
                with findings.climbing("R2"):
                    check_documents(documents, entry, base, findings)
                    self._records(files, base, documents.manifest)
        return BundleRun(entry, folder, whole and findings.errors == before)

    def _records(self, files: Mapping[str, Path], base: str, manifest: RunManifest) -> None:
        families = {one.cell: one.task.partition("/")[0] for one in manifest.cells}
        if len(set(families.values())) > _MOST_FAMILIES:  # each call's id is tried under each of them
            self._findings.add("R1.too-many-families", base, _MOST_FAMILIES)
            return
        check = RecordsCheck(files, base, families, self._findings, self._limits, self._budget)
        for name, count in check.check().items():
            listed = self._listing[name].records
            if count != listed:
                self._findings.add("R2.record-count", name, expected=listed, found=count)

    def _readme(self) -> str:
        try:
            return (self._small(README, self._limits.readme) or b"").decode("utf-8")
        except UnicodeDecodeError:
            self._findings.add("R1.readme", README)
            return ""

    def _unpack(self, name: str, to: Path, differs: bool) -> None:
        """Decompress one journal, counting; a frame that is no frame is an error of R0 unless the
        file is known to be changed anyway."""
        digest = hashlib.sha256()
        try:
            with self._source.open(name) as file, to.open("wb") as out:
                for piece in unpack(file, self._source.sizes[name], self._limits):
                    self._total += len(piece)
                    refuse(self._total > self._limits.total, "too-big", self._limits.total)
                    digest.update(piece)
                    out.write(piece)
        except Refused as error:
            rung = "R2" if differs else "R0"
            self._findings.add(f"{rung}.{error.word}", name, what=f"a compressed file {error}")
            return
        found, listed = digest.hexdigest(), self._listing.get(name)  # what is not listed was found already
        if listed and (to.stat().st_size, found) != (listed.content_bytes, listed.content_sha256):
            self._findings.add("R2.content-differs", name, expected=listed.content_sha256, found=found)
