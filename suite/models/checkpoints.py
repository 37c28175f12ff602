"""What a model's own files say before it is loaded: architecture, labels, revision, family of reward models.

Read from a local folder or from the Hub (`config.json` alone). No connection is no error here: then
what the model can do has to be told. Families say what heads give and who can serve them: known at plan time,
so that a model that is no scalar reward is refused before anything starts. They are read from
`registry/models/reward_families.yaml` and from plugins' registry folders, whose entries come first.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from pydantic import Field

from suite.chat import Json
from suite.data.entry import Strict
from suite.data.hub_source import hub_answer, require_network
from suite.errors import CapabilityError, ConfigError, NotFound, SourceUnreachable
from suite.models.classifier import Head
from suite.models.tables import Pattern, read_rows
from suite.plugins import catalogue

_EDGE = 65536


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model's files. `folder` is None for a model of the Hub; `revision` is a commit or a fingerprint."""

    name: str
    revision: str = ""
    folder: Path | None = None
    config: Mapping[str, Json] = field(default_factory=dict)

    @property
    def architectures(self) -> tuple[str, ...]:
        """Class names, the first one counts."""
        named = self.config.get("architectures")
        return tuple(map(str, named)) if isinstance(named, list | tuple) else ()

    @property
    def labels(self) -> int:
        """How many labels a classifier has; transformers' own default, two, where the config is silent."""
        count, named = self.config.get("num_labels"), self.config.get("id2label")
        if isinstance(count, int | float | str):
            return int(count)
        return len(named) if isinstance(named, dict | list) else 2


def read_checkpoint(name: str, revision: str | None = None) -> Checkpoint | None:
    """A name's checkpoint, None if the Hub is out of reach. Raises NotFound; ConfigError: no config."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        path = folder / "config.json"
        if not path.is_file():
            raise ConfigError(f"{name} holds no model: it has no config.json", where=str(folder))
        return Checkpoint(folder.resolve().name, fingerprint(folder), folder.resolve(), _config(path))
    check_folder(name)
    return _from_hub(name, revision)


def check_folder(name: str) -> None:
    """Raises NotFound for the path of a folder that is not there."""
    if name.startswith(("/", "./", "../", "~")) and not Path(name).expanduser().is_dir():
        raise NotFound(f"there is no folder {name}", fix="give a model folder or a Hub name, ORG/NAME")


def _from_hub(name: str, revision: str | None) -> Checkpoint | None:
    from huggingface_hub import errors, hf_hub_download

    try:
        offline = out_of_reach()
        path = Path(hf_hub_download(name, "config.json", revision=revision, local_files_only=offline))
    except errors.GatedRepoError as error:
        raise ConfigError.of("models.hub.gated", name=name) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise NotFound(f"the Hub has no model {name!r}", fix="check the name, or export HF_TOKEN") from error
    except errors.RevisionNotFoundError as error:
        raise NotFound(f"{name} has no revision {revision!r}") from error
    except errors.RemoteEntryNotFoundError as error:
        raise ConfigError(f"{name} has no config.json: not a model that can be served") from error
    except OSError as error:  # an answer, or the connection, in the words of whatever library makes it
        if answer := hub_answer(error):
            raise SourceUnreachable(f"{name}: {answer.what}", fix=answer.fix) from error
        return None  # offline, and not in the cache
    return Checkpoint(name, path.parent.name, None, _config(path))


def out_of_reach() -> bool:
    """Whether nothing answers at the Hub's address: its own library would try for half a minute."""
    with suppress(SourceUnreachable):
        require_network("the model")
        return False
    return True


def side_file(checkpoint: Checkpoint | None, name: str) -> str | None:
    """The text of another small file of a model, None if it has none or cannot be reached."""
    if checkpoint is None:
        return None
    if checkpoint.folder is not None:
        return read_text(checkpoint.folder / name)
    from huggingface_hub import hf_hub_download

    try:
        found = hf_hub_download(
            checkpoint.name, name, revision=checkpoint.revision, local_files_only=out_of_reach()
        )
        return read_text(Path(found))
    except Exception:  # whatever the Hub's library raises: what is not to be had is unknown
        return None


def read_text(path: Path) -> str | None:
    """The text of a file, None if it cannot be read."""
    with suppress(OSError):
        return path.read_text(errors="replace")
    return None


def chat_template(checkpoint: Checkpoint | None, given: object = None) -> str | None:
    """The chat template: the one given, as text or file, else the model's, None if it is not known."""
    if isinstance(given, str):
        return given if "{" in given else read_text(Path(given).expanduser())
    if (template := side_file(checkpoint, "chat_template.jinja")) is not None:
        return template
    found = _json(side_file(checkpoint, "tokenizer_config.json")).get("chat_template")
    return found if isinstance(found, str) else None


def generation_config(checkpoint: Checkpoint | None) -> Mapping[str, Json] | None:
    """A model's own generation_config.json, {} if it has none, None if that cannot be known."""
    text = side_file(checkpoint, "generation_config.json")
    if text is None:
        return {} if checkpoint is not None and checkpoint.folder is not None else None
    return _json(text)


def _json(text: str | None) -> dict[str, Json]:
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(text or "{}", type=dict[str, Any])
    return {}


def _config(path: Path) -> Mapping[str, Json]:
    try:
        value = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(f"{path.name} cannot be read: {error}", where=str(path)) from error
    return value if isinstance(value, dict) else {}


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names, sizes and ends of a model folder's files: cheap, and sees another model."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            size = path.stat().st_size
            digest.update(f"{path.name}\x1f{size}\x1f".encode())
            with path.open("rb") as file:
                digest.update(file.read(_EDGE))
                if size > 2 * _EDGE:
                    file.seek(size - _EDGE)
                digest.update(file.read(_EDGE))
    return digest.hexdigest()


class Family(Strict):
    """One family. `architecture` and `model` are patterns for whole strings."""

    id: str
    architecture: Pattern
    model: Pattern = ".*"
    head: Literal["sequence", "token", "none"]
    labels: int | None = Field(None, ge=1)
    label: int | None = Field(None, ge=0)
    weights: tuple[float, ...] = ()
    served_by: tuple[str, ...]
    overrides: dict[str, object] = Field(default_factory=dict)
    note: str = ""

    def fits(self, architecture: str, name: str) -> bool:
        """Whether a model belongs to it."""
        return bool(re.fullmatch(self.architecture, architecture) and re.fullmatch(self.model, name))


@lru_cache(maxsize=4)
def families_of(folders: tuple[Path, ...]) -> tuple[Family, ...]:
    """The families of plugins' registry folders, then the suite's own. Raises ConfigError for an id twice."""
    found: dict[str, tuple[Family, Path]] = {}
    for path, family in read_rows(Family, "reward_families.yaml", "reward families", folders):
        if family.id in found:
            where = f"{found[family.id][1]} and {path}"
            raise ConfigError(f"the reward family {family.id!r} is defined twice", where)
        found[family.id] = (family, path)
    return tuple(family for family, _ in found.values())


def family_of(architectures: Iterable[str], name: str, known: Sequence[Family] = ()) -> Family | None:
    """The family of a model, None if it is no reward model. known: default all of this installation."""
    table = known or families_of(tuple(catalogue().registry_folders()))
    return next((family for one in architectures for family in table if family.fits(one, name)), None)


def head_of(family: Family | None, per_token: bool, label: int | None, weights: tuple[float, ...]) -> Head:
    """How a model's numbers become a score: as the user says, else as its family does."""
    if family is not None:
        label, weights = family.label if label is None else label, weights or family.weights
    return Head(per_token, label, weights)


def check_reward(family: Family, labels: int, head: Head, provider: str, text: str) -> None:
    """Raises CapabilityError for a reward model that a provider does not score as published, or that has
    several labels and no choice among them. labels: of its config, where the family does not say.
    """
    if provider not in family.served_by:
        what = f"{text} is a reward model that {provider} does not score as published"
        where = f"family {family.id}: {family.note}" if family.note else f"family {family.id}"
        raise CapabilityError(what, where, f"try {family.served_by[0]}/NAME" if family.served_by else "")
    labels = family.labels or labels
    if not labels:
        raise CapabilityError(f"{text} has a classifier's config with no label: it gives no score")
    if labels > 1 and head.label is None and not head.weights:
        raise CapabilityError.of("models.reward.labels", text=text, labels=labels)
