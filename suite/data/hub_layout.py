"""Which configs and splits a dataset on the Hub has at a commit, and the files of each.

The `datasets` library decides, on a folder with the repository's card and an empty file for each of its
files: what the library would load is what is found, without a row fetched or code of the repository run.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from suite.data import hub_source
from suite.data.entry import HubSource
from suite.data.rows import FORMATS
from suite.errors import DataError, NotFound
from suite.files import inside

_CARDS = ("README.md", ".huggingface.yaml")
_OLD_CARD = ("dataset_infos.json",)  # tells types of columns, and would be read where it is
_SAYS_NOTHING = {"config_name", "data_files", "data_dir", "default", "version", "description", "features"}


class HubLayout(NamedTuple):
    """The files by config and split. default: the config that is meant if none is named.

    told: what the card says, by config, about reading them, beyond their format.
    """

    repo: str
    where: str
    configs: Mapping[str, Mapping[str, Sequence[str]]]
    told: Mapping[str, Mapping[str, object]]
    default: str | None

    def files(self, config: str | None, split: str) -> Sequence[str]:
        """The files of a split. Raises NotFound listing those there are, DataError for files nobody reads."""
        config = config or self.default
        if config is None or config not in self.configs:
            what = "config that is meant if none is named" if config is None else f"config {config!r}"
            raise self._missing(what, "configs", self.configs)
        if split not in self.configs[config]:
            raise self._missing(f"split {split!r} in config {config}", "splits", self.configs[config])
        found = self.configs[config][split]
        for path in found:
            if (form := PurePosixPath(path).suffix.lower() or "not named") not in FORMATS:
                formats = ", ".join(FORMATS)
                raise DataError.of("data.layout.format", layout=self, path=path, form=form, formats=formats)
        if told := ", ".join(f"{key}: {value}" for key, value in self.told.get(config, {}).items()):
            raise DataError.of("data.layout.own-way", layout=self, config=config, told=told)
        return found

    def _missing(self, what: str, kind: str, known: Iterable[str]) -> NotFound:
        return NotFound(f"{self.repo} has no {what}", self.where, f"{kind}: {', '.join(known)}")


def layout(source: HubSource, entry: str) -> HubLayout:
    """What the `datasets` library makes of a repository at its pinned commit.

    Raises DataError where it makes nothing of it, naming the files there; and as `hub_source.fetch` does.
    """
    there = list(hub_source.listing(source, entry))
    with tempfile.TemporaryDirectory(prefix="suite-layout-") as name:
        folder = Path(name).resolve() / "repository"
        where = f"dataset {source.repo} at {(source.revision or '')[:12]}"
        try:
            for path in set(there).difference(_CARDS, _OLD_CARD):
                empty = inside(folder, path)
                empty.parent.mkdir(parents=True, exist_ok=True)
                empty.touch()
            for path in set(_CARDS) & set(there):
                hub_source.fetch(source, entry, path, folder)
            return _resolved(source.repo, where, folder)
        except DataError:
            raise
        except Exception as error:  # the library raises what it likes about a card or a repository
            said = " ".join(str(error).replace(str(folder), source.repo).split())[:300]
            place = f"{where}; {hub_source.files_told(there)}"
            about = {"entry": entry, "source": source, "said": said}
            raise DataError.of("data.layout.no-rows", place=place, **about) from error


def _resolved(repo: str, where: str, folder: Path) -> HubLayout:
    import datasets
    from huggingface_hub import DatasetCard

    datasets.logging.set_verbosity_error()
    card = folder / "README.md"
    told = DatasetCard.load(card).data.to_dict().get("configs") or () if card.is_file() else ()
    extra = {
        one.get("config_name"): {key: value for key, value in one.items() if key not in _SAYS_NOTHING}
        for one in told
    }
    configs = {}
    for name in datasets.get_dataset_config_names(str(folder)):
        builder = datasets.load_dataset_builder(str(folder), name, cache_dir=str(folder.parent / "cache"))
        configs[name] = {
            str(split): [_below(repo, folder, path) for path in found]
            for split, found in (builder.config.data_files or {}).items()
        }
    return HubLayout(repo, where, configs, extra, datasets.get_dataset_default_config_name(str(folder)))


def _below(repo: str, folder: Path, path: str) -> str:
    if not Path(path).is_relative_to(folder):
        raise DataError(f"{repo}: its card names a file outside of the repository: {path}")
    return Path(path).relative_to(folder).as_posix()
