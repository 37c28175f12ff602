"""What lies at a source that has no entry yet: a repository of the Hub or on a Git host, files at hand.

Each finder asks for names, commit, licence and parts, and gives an entry without hashes; nothing is written.
Not here: reading the rows and writing the entry (`new_entry`).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import yaml
from pydantic import ValidationError

from suite.chat import Json
from suite.data import git_source, hub_source
from suite.data.entry import BundledSource, DatasetEntry, DatasetPart, File, GitSource, HubSource, Licence
from suite.data.hub_layout import layout
from suite.data.hub_source import files_told
from suite.data.rows import FORMATS
from suite.errors import ConfigError, DataError, unknown
from suite.files import unsafe

_CARD = "README.md"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHARD = re.compile(r"-\d+-of-\d+$")
_NON_COMMERCIAL = re.compile(r"(^|[-_ ])nc([-_ ]|$)|non-?commercial|research", re.I)
_OTHERWISE = "if the Hub made Parquet of it, --revision refs/convert/parquet; else bring rows by --files"
NOT_STATED = "not stated"


def on_hub(
    name: str, repo: str, revision: str | None, config: str | None, split: str | None, licence: str
) -> DatasetEntry:
    """A dataset of the Hub at the commit that the revision is at now. licence: "": the card's.

    Raises NotFound for a config or split that is not there, and what `hub_source` raises.
    """
    repo = repo.removeprefix("https://huggingface.co/datasets/").strip("/")
    branch = "main" if revision is None or _COMMIT.fullmatch(revision) else revision
    try:
        source = HubSource(kind="hub", repo=repo, branch=branch)
    except ValidationError as error:
        raise ConfigError(f"--hub {repo}: no name of a dataset on the Hub", fix="write ORG/NAME") from error
    commit, gated = hub_source.about(source, name, revision or branch)
    source = source.model_copy(update={"revision": commit})
    told = card(source, name)
    try:
        parts, files = _splits(source, name, config, split)
    except DataError as error:
        if type(error) is not DataError:
            raise
        raise DataError(error.what, error.where, _OTHERWISE) from error
    terms = hub_terms(source, told, gated, licence)
    title = str(told.get("pretty_name") or repo)
    return DatasetEntry(
        id=name, title=title, homepage=terms.url, licence=terms, source=source, parts=parts, files=files
    )


def licence_at(source: HubSource, name: str) -> Licence:
    """The licence of a dataset of the Hub at its pinned commit. name: in errors. Raises as `on_hub`."""
    _, gated = hub_source.about(source.model_copy(update={"revision": None}), name, str(source.revision))
    return hub_terms(source, card(source, name), gated)


def hub_terms(source: HubSource, told: Mapping[str, Json], gated: bool, given: str = "") -> Licence:
    """The terms of a dataset of the Hub. told: by its card. given: see `_licence`."""
    licence = told.get("license")
    if licence == "other" and told.get("license_name"):
        licence = told["license_name"]
    named = licence if isinstance(licence, list) else [licence]
    stated = ", ".join(str(one) for one in named if one and str(one).lower() not in ("unknown", "none"))
    return _licence(given, stated, f"https://huggingface.co/datasets/{source.repo}", "card", gated)


def card(source: HubSource, name: str) -> Mapping[str, Json]:
    """What a dataset's card says between its first two lines of dashes; {} where there is none to be read."""
    data = hub_source.content(source, name, _CARD) if _CARD in hub_source.listing(source, name) else b""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    _, _, rest = text.partition("---\n") if text.startswith("---\n") else ("", "", "")
    try:
        told = yaml.safe_load(rest.partition("\n---")[0])
    except yaml.YAMLError:
        return {}
    return told if isinstance(told, dict) else {}


def _splits(
    source: HubSource, name: str, config: str | None, split: str | None
) -> tuple[dict[str, DatasetPart], tuple[File, ...]]:
    """A part for each split, called CONFIG/SPLIT where there are several configs; and their files."""
    found = layout(source, name)
    if config is not None and config not in found.configs:
        found.files(config, split or "")  # raises, naming those there are
    configs = {one: found.configs[one] for one in ([config] if config else found.configs)}
    parts: dict[str, DatasetPart] = {}
    files: list[File] = []
    for one, splits in configs.items():
        for part in splits if split is None else {split} & splits.keys():
            key = part if len(configs) == 1 else f"{one}/{part}"
            parts[key] = DatasetPart(config=one, split=part)
            files += [File(path=path, part=key) for path in found.files(one, part)]
    if split is not None and not parts:
        raise unknown(f"split of {source.repo}", split, chain.from_iterable(configs.values()))
    return parts, tuple(files)


def on_git(name: str, url: str, revision: str | None, globs: Sequence[str], licence: str) -> DatasetEntry:
    """A repository on a Git host; each kind of file name becomes a part. globs: () for all files with rows.

    Raises DataError where they find none, and what `git_source` raises.
    """
    host = urlsplit(url)
    repo = host.path.strip("/").removesuffix(".git")
    if host.scheme != "https" or not repo or not host.netloc or "@" in host.netloc:  # no password is kept
        raise ConfigError.of("data.found.no-address", url=git_source.shown(url))
    github = host.hostname == "github.com"
    raw = f"https://raw.githubusercontent.com/{repo}" if github else f"https://{host.netloc}/{repo}/raw"
    template = raw + "/{commit}/{path}"
    source = GitSource(kind="git", repo=repo, url_template=template, clone_url=url.rstrip("/"))
    if revision is not None and _COMMIT.fullmatch(revision):
        source = source.model_copy(update={"commit": revision})
    else:
        branch, commit = git_source.first_branch(source, [revision] if revision else ["main", "master"])
        source = source.model_copy(update={"commit": commit, "branch": branch})
    if globs and not any(set(one) & set("*?[") for one in globs):
        paths = list(globs)
        for one in paths:
            if why := unsafe(one) or ("it names no file" if not PurePosixPath(one).name else None):
                raise ConfigError.of("data.found.path", path=one, why=why)
    else:
        there = git_source.listing(source, name)
        paths = [one for one in there if _holds_rows(one) and any(fnmatchcase(one, g) for g in globs or "*")]
        if not paths:
            told = " or ".join(globs)
            raise DataError.of("data.found.no-file", repo=repo, globs=told, url=url, files=files_told(there))
    parts, files = _by_stem(paths)
    terms = _licence(licence, "", url, "repository")
    return DatasetEntry(
        id=name, title=repo, homepage=url, licence=terms, source=source, parts=parts, files=files
    )


def at_hand(name: str, paths: Iterable[Path], licence: str) -> tuple[DatasetEntry, Mapping[str, Path]]:
    """Files of this machine, to be copied beside the entry; a folder stands for its files with rows.

    Returns the places of the files, too, by path in the entry. Raises DataError for a file that is not there
    or holds no rows, or two of one name.
    """
    places: dict[str, Path] = {}
    for given in paths:
        inside = sorted(one for one in given.rglob("*") if one.is_file() and _holds_rows(one.name))
        for path in inside if given.is_dir() else [given]:
            if not path.is_file() or not _holds_rows(path.name):
                what = "holds no rows" if path.is_file() else "is not there"
                fix = f"give files that end in {', '.join(FORMATS)}"
                raise DataError(f"{path.name} {what}", str(path.absolute()), fix)
            if path.name in places and places[path.name].resolve() != path.resolve():
                raise DataError.of("data.found.one-name", path=path, other=places[path.name])
            places[path.name] = path
    if not places:
        raise DataError(f"{name}: no files with rows are given", fix=f"they end in {', '.join(FORMATS)}")
    parts, files = _by_stem(places)
    source = BundledSource(kind="bundled", folder=f"data/{name}")
    said, ours = ("", None) if licence else ("Your own files.", True)
    terms = Licence(name=licence or NOT_STATED, redistribution=said, pass_rows_on=ours)
    return DatasetEntry(id=name, title=name, licence=terms, source=source, parts=parts, files=files), places


def _holds_rows(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in FORMATS


def _by_stem(paths: Iterable[str]) -> tuple[dict[str, DatasetPart], tuple[File, ...]]:
    """A part for each stem of file names, with their folder where two have one name; shards are one part."""
    stems = {path: _SHARD.sub("", str(PurePosixPath(path).with_suffix(""))) for path in sorted(paths)}
    alike = Counter(stem.rpartition("/")[2] for stem in set(stems.values()))
    parts = {
        path: name if alike[name := stem.rpartition("/")[2]] == 1 else stem for path, stem in stems.items()
    }
    files = tuple(File(path=path, part=part) for path, part in parts.items())
    return {part: DatasetPart() for part in parts.values()}, files


def _licence(given: str, stated: str, url: str, place: str, gated: bool = False) -> Licence:
    """given: by --licence; stated: by the place. accept_required where the terms are unknown, not for
    everybody, or asked for by the Hub (gated).
    """
    name = given or stated
    said = f"As {'--licence' if given else f'the {place}'} says. Not shipped with the suite."
    if not name:
        said = f"The {place} names no licence: ask its owners before you pass rows on."
    accept = gated or name in ("", "other") or bool(_NON_COMMERCIAL.search(name))
    return Licence(name=name or NOT_STATED, url=url, accept_required=accept, redistribution=said)
