"""Models outside a run, behind the same contract as in one; they keep what they were asked."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

from suite.chat import Message, Reply, Request
from suite.models.engine import Asking, Engine, Provider, Surroundings
from suite.models.options import CAPABILITIES
from suite.models.scripted import ScriptedEngine
from suite.models.spec import parse_spec
from suite.plugins import catalogue
from suite.roles import Model, Ratings
from suite.scoring.answer_ratings import rate_answers

Answer = Callable[[Request], Reply | str]


class EngineModel(Model):
    """One member of a role, for tests of `solve` and `score`.

    member: "candidate", "judge", "judge/2". chosen: the alternative of the role's needs that the plan chose;
    by default all that the engine can do. reference: the model that `logp_reference` compares with.
    requests, keys: what it was asked so far.
    """

    def __init__(
        self,
        engine: Engine,
        member: str = "candidate",
        *,
        chosen: Iterable[str] | None = None,
        reference: Model | None = None,
    ) -> None:
        self.member = member
        self.name = engine.spec.text
        self.capabilities = engine.capabilities()
        self.chosen = self.capabilities if chosen is None else frozenset(chosen)
        self.requests: list[Request] = []
        self.keys: list[str] = []
        self._engine = engine
        self._reference = reference

    @property
    def asked(self) -> list[str]:
        """The last message (or the prompt) of each request, as text."""
        return [one.last_text for one in self.requests]

    async def ask(self, request: Request, key: str = "") -> Reply:
        """The engine's reply. Raises CallFailed, also where the request asks for what it cannot do."""
        self.requests.append(request)
        self.keys.append(key)
        return await self._engine.call(request, Asking(seed=1, member=self.member, key=key))

    async def rate_answers(
        self, messages: tuple[Message, ...], answers: tuple[str, ...], kind: str, key: str
    ) -> Ratings:
        """By the suite's own function, as in a run."""
        return await rate_answers(self, messages, answers, kind, key, self._reference)


class ScriptedModel(EngineModel):
    """A model whose answers a function gives.

    answer: a function of the request, a text for every request, or replies that are given in turn. A text
    without a word is an empty reply, as from any engine; a function may raise `suite.CallFailed`.
    capabilities: what it can do; by default everything. The rest is as in EngineModel.
    """

    def __init__(
        self,
        answer: Answer | str | Sequence[Reply | str],
        member: str = "candidate",
        *,
        capabilities: Iterable[str] = CAPABILITIES,
        chosen: Iterable[str] | None = None,
        reference: Model | None = None,
    ) -> None:
        engine = ScriptedEngine(_function(answer), capabilities=frozenset(capabilities))
        super().__init__(engine, member, chosen=chosen, reference=reference)
        self.name = member


@asynccontextmanager
async def open_model(spec: str, member: str = "candidate", **options: object) -> AsyncIterator[EngineModel]:
    """The model that a spec names, started, and closed in the end. options: as `-o` gives them.

    Raises NotFound or ConfigError for what its provider cannot fill, EngineError where it does not start.
    """
    read = parse_spec(spec, [(name, str(value)) for name, value in options.items()])
    provider: Provider = catalogue().load("provider", read.provider)
    engine = provider.engine(read)
    await engine.start(Surroundings())
    try:
        yield EngineModel(engine, member)
    finally:
        await engine.close()


def _function(answer: Answer | str | Sequence[Reply | str]) -> Callable[[Request, Asking], Reply | str]:
    if isinstance(answer, str):
        return lambda _request, _asking: answer
    if callable(answer):
        return lambda request, _asking: answer(request)
    replies = iter(answer)
    return lambda _request, _asking: next(replies)
