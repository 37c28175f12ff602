"""Users by name: what an Entry of kind "user" announces, and how "rules-v1?broad=5" is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import suite
from suite_userbench.users.protocol import AsyncUser, SyncUser

Make = Callable[[suite.Model | None, suite.Prompts, Mapping[str, str]], SyncUser | AsyncUser]


@dataclass(frozen=True, slots=True)
class UserKind:
    """A kind of simulated user; the target of an Entry of kind "user".

    needs_model: whether the role `user` must be filled. settings: name -> one line of help.
    make: (model or None, prompts, settings) -> a user. Its `answer` is a coroutine function exactly if
    `needs_model` or `asynchronous`. version: raised when it would answer differently.
    """

    name: str
    title: str
    version: int
    make: Make
    needs_model: bool = False
    asynchronous: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChosenUser:
    """A kind with its settings, as a run names it."""

    kind: UserKind
    settings: Mapping[str, str]

    @property
    def identity(self) -> str:
        """What stands in the manifest: kind, version, settings."""
        told = "".join(f", {name}={value}" for name, value in sorted(self.settings.items()))
        return f"{self.kind.name} (version {self.kind.version}{told})"

    def make(self, model: suite.Model | None, prompts: suite.Prompts) -> SyncUser | AsyncUser:
        """A user. Raises CapabilityError if it needs a model and has none."""
        if self.kind.needs_model and model is None:
            raise suite.CapabilityError(
                f"the user {self.kind.name!r} is played by a model, and nobody fills the role `user`",
                fix="name one: --user SPEC, or take the user that needs none: -P user=rules-v1",
            )
        return self.kind.make(model, prompts, self.settings)


def find(spec: str) -> ChosenUser:
    """The user of a spec NAME or NAME?setting=value. Raises NotFound for unknown names and settings."""
    name, _, query = spec.partition("?")
    kind = suite.catalogue().load("user", name)
    if not isinstance(kind, UserKind):
        raise suite.ConfigError(
            f"the user {name!r} is no user of this kind of environment",
            where=f"its target is a {type(kind).__name__}",
            fix="its Entry must name a suite_userbench.users.UserKind",
        )
    settings = dict(parse_qsl(query, keep_blank_values=True))
    for one in settings:
        if one not in kind.settings:
            raise suite.NotFound(
                f"the user {name!r} has no setting {one!r}",
                fix=f"known: {', '.join(sorted(kind.settings)) or 'none'}",
            )
    return ChosenUser(kind, settings)
