"""Families of reward models as data: what their heads give and who can serve them.

Read from `registry/models/reward_families.yaml` and from plugins' registry folders, whose entries come
first. Known at plan time, so that a model that is no scalar reward is refused before anything starts.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from suite.errors import CapabilityError, ConfigError
from suite.models.classifier import Head
from suite.models.tables import Pattern, TableRow, read_rows
from suite.plugins import catalogue


class Family(TableRow):
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


def family_of(
    architectures: Iterable[str], name: str, known: Sequence[Family] | None = None
) -> Family | None:
    """The family of a model, None if it is no reward model. known: default all of this installation."""
    table = families_of(tuple(catalogue().registry_folders())) if known is None else known
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
        raise CapabilityError(
            f"{text} is a reward model that {provider} does not score as published",
            where=f"family {family.id}: {family.note}" if family.note else f"family {family.id}",
            fix=f"try {family.served_by[0]}/NAME" if family.served_by else "",
        )
    labels = family.labels or labels
    if not labels:
        raise CapabilityError(f"{text} has a classifier's config with no label: it gives no score")
    if labels > 1 and head.label is None and not head.weights:
        raise CapabilityError(
            f"{text} has {labels} labels, and nothing says which is the reward",
            fix="-o label=N, or -o weights=[...] for a weighted sum",
        )
