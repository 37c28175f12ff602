"""Roles of a task and the models that fill them, as a task meets them.

`Model` turns plain arguments into a `Request` and hands it to `ask`, the one traced way to a model;
the runner implements `ask`. Not here: engines and HTTP (`suite.models`), journaling (`suite.run`).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from suite.chat import Json, Message, Options, Reply, Request, Tool, user
from suite.errors import CapabilityError, ConfigError, PluginError

AskedIn = Literal["solve", "score", "both"]  # stages of a run


class Stage(StrEnum):
    """A stage of a run: samples are solved, outputs are scored."""

    SOLVE = "solve"
    SCORE = "score"


@dataclass(frozen=True, slots=True, init=False)
class Role:
    """Who a task needs.

    needs: capabilities, or alternatives in order of preference ([{"rate"}, {"chat"}]).
    stage: when it is asked. many: a panel may sit. optional: the task can do without.
    """

    needs: tuple[frozenset[str], ...]
    stage: AskedIn
    many: bool
    optional: bool

    def __init__(
        self,
        needs: frozenset[str] | set[str] | Sequence[frozenset[str] | set[str]] = frozenset({"chat"}),
        stage: AskedIn = "solve",
        many: bool = False,
        optional: bool = False,
    ) -> None:
        alternatives = [needs] if isinstance(needs, set | frozenset) else list(needs)
        object.__setattr__(self, "needs", tuple(frozenset(one) for one in alternatives))
        object.__setattr__(self, "stage", stage)
        object.__setattr__(self, "many", many)
        object.__setattr__(self, "optional", optional)

    def choose(self, capabilities: frozenset[str]) -> frozenset[str] | None:
        """The first alternative that these capabilities satisfy, or None."""
        return next((one for one in self.needs if one <= capabilities), None)


@dataclass(frozen=True, slots=True)
class Ratings:
    """What a reward candidate says of n answers to one prompt.

    scores: raw, one per answer; None where that answer could not be scored, or for kinds without scores.
    prefers: index of the preferred answer; None for a tie or a failure (see `failure`).
    kind: classifier | pairwise | rank | rating | logp_sum | logp_mean | logp_reference.
    failure: why there is no verdict ("" if there is one, ties included).
    diagnostics: kind-specific facts (verdict per order, tokens, truncation …).
    """

    scores: tuple[float | None, ...]
    prefers: int | None
    kind: str
    failure: str = ""
    diagnostics: Mapping[str, Json] | None = None


def _conversation(messages: Sequence[Message] | str) -> tuple[Message, ...]:
    if isinstance(messages, str):
        return (user(messages),)
    for one in messages:
        if not isinstance(one, Message):  # else it would fail far from the author's line
            raise PluginError.of("roles.no-message", kind=type(one).__name__)
    return tuple(messages)


class Model(ABC):
    """One member of a role. Calls of the same group and trial with the same request are one call."""

    member: str  # "candidate", "judge", "judge/2"
    name: str  # what to show: "vllm/Qwen/Qwen3-8B"
    capabilities: frozenset[str]
    chosen: frozenset[str]  # the alternative of the role's needs that the plan chose

    @abstractmethod
    async def ask(self, request: Request, key: str = "") -> Reply:
        """The reply to a request: recorded if it is known, else asked and recorded."""

    async def chat(
        self,
        messages: Sequence[Message] | str,
        *,
        temperature: float | None = 0.0,
        top_p: float | None = None,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        logprobs: int | None = None,
        json_schema: Json = None,
        tools: Sequence[Tool] = (),
        tool_choice: str | None = None,
        continue_final: bool = False,
        template: Json = None,
        key: str = "",
    ) -> Reply:
        """Answer a conversation; a text alone is one message of a user's.

        key: asks for a second, independent reply to an identical request.
        Raises PluginError where a message is no `suite.Message`.
        """
        options = Options(
            temperature=None if temperature is None else float(temperature),
            top_p=None if top_p is None else float(top_p), max_tokens=max_tokens, stop=tuple(stop),
            logprobs=logprobs, json_schema=json_schema, tool_choice=tool_choice,
            continue_final=continue_final, template=template,
        )  # fmt: skip
        request = Request("chat", _conversation(messages), tools=tuple(tools), options=options)
        return await self.ask(request, key)

    async def complete(
        self,
        prompt: str,
        *,
        temperature: float | None = 0.0,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        logprobs: int | None = None,
        key: str = "",
    ) -> Reply:
        """Continue a raw prompt (no chat template)."""
        warmth = None if temperature is None else float(temperature)
        options = Options(temperature=warmth, max_tokens=max_tokens, stop=tuple(stop), logprobs=logprobs)
        return await self.ask(Request("complete", prompt=prompt, options=options), key)

    async def rate(
        self, prompt: Sequence[Message] | str, answers: Sequence[str], *, kind: str = "", key: str = ""
    ) -> Ratings:
        """Which of n answers the model prefers, whatever kind of reward model it is.

        kind: "" lets the model's capabilities choose; see `Ratings` for the names.
        Raises ConfigError for fewer than two answers.
        """
        messages = _conversation(prompt)
        if len(answers) < 2:
            raise ConfigError(f"rating needs at least two answers, got {len(answers)}")
        return await self.rate_answers(messages, tuple(answers), kind, key)

    @abstractmethod
    async def rate_answers(
        self, messages: tuple[Message, ...], answers: tuple[str, ...], kind: str, key: str
    ) -> Ratings:
        """Implementation of `rate` for the model's kind."""

    async def logprobs(
        self,
        messages: Sequence[Message] | str,
        texts: Sequence[str],
        *,
        normalise: str = "sum",
        raw: bool = False,
        key: str = "",
    ) -> Reply:
        """Log-probability of each text as the assistant's next message; `Reply.scores`, nats.

        normalise: "sum" over the answer's tokens or "mean" per token. raw: `messages` is a prompt that the
        texts continue, without the chat template. Raises ConfigError for a raw prompt that is no text.
        """
        if raw and not isinstance(messages, str):
            raise ConfigError("a raw prompt is a text, not messages")
        said, prompt = (_conversation(messages), "") if not raw else ((), str(messages))
        options = Options(normalise=normalise)
        return await self.ask(Request("logprobs", said, prompt, tuple(texts), options=options), key)

    async def rank(self, query: str, documents: Sequence[str], top: int | None = None) -> Reply:
        """Order documents by closeness to a query; `Reply.ranking` holds (index, score), best first."""
        options = Options(top=top)
        return await self.ask(Request("rank", prompt=query, texts=tuple(documents), options=options))


class _Only:
    """The only member of the role that the attribute is named after; raises as `Models.get` does."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._role = name

    def __get__(self, models: "Models", owner: type) -> Model:
        return models.get(self._role)


class Models:
    """The models of one run, by role. `models.judge` is the only judge; `models.all("judge")` the panel."""

    candidate = _Only()
    """The model that is measured."""
    baseline = _Only()
    """The model it is compared with."""
    judge = _Only()
    """The only judge."""
    user = _Only()
    """The model that plays the user."""
    embedder = _Only()
    """The model that ranks documents."""
    reference = _Only()
    """The reference policy of an implicit reward model."""

    def __init__(self, members: Mapping[str, Sequence[Model]]) -> None:
        self._members = {role: tuple(models) for role, models in members.items()}

    def all(self, role: str) -> tuple[Model, ...]:
        """All members of a role, () if nobody fills it."""
        return self._members.get(role, ())

    def get(self, role: str) -> Model:
        """The only member of a role. Raises CapabilityError if nobody fills it or a panel sits."""
        members = self.all(role)
        if len(members) == 1:
            return members[0]
        if not members:
            raise CapabilityError(f"no model fills the role {role!r}", fix=f"name one: --role {role}=SPEC")
        raise CapabilityError(f"the role {role!r} is a panel of {len(members)}; ask models.all({role!r})")
