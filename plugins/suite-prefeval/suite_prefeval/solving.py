"""What generation and classification share: samples' conversations and the calls that build them.

A call is a function of its request, so nothing is cached here: the acknowledgement of a preference has the
same request at every N and for every method, and the suite asks for it once.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TypeVar

import suite
from suite_prefeval import conversation, profiles, reading
from suite_prefeval.parameters import Shared
from suite_prefeval.profiles import Talk
from suite_prefeval.rows import Item

DATASET = "prefeval"
CRITIQUE_TOKENS = 300
GONE = ("overflow", "invalid", "refused")  # an earlier reply that ends so, without text, ends the sample

ParametersT = TypeVar("ParametersT", bound=Shared)


class Stopped(Exception):
    """The candidate failed before its final answer; `finish` says how."""

    def __init__(self, finish: suite.Finish) -> None:
        super().__init__(finish)
        self.finish = finish


class Preferences(suite.Task[Item, ParametersT]):
    """A conversation with a preference at its start and a question at its end."""

    _unrelated: tuple[suite.Message, ...] = ()

    @property
    @abstractmethod
    def acknowledgement_tokens(self) -> int:
        """New tokens of the reply to a stated preference."""

    def roles(self) -> Mapping[str, suite.Role]:
        """The embedder is needed by `rag` alone; a raw profile continues a prompt."""
        roles = dict(self.info.roles)
        if self.parameters.method != "rag":
            del roles["embedder"]
        if self.parameters.profile in profiles.RAW:
            roles["candidate"] = suite.Role(needs={"complete"})
        return roles

    async def open(self, data: suite.Data, tools: suite.Tools) -> Mapping[str, str]:  # noqa: ARG002
        """Read the unrelated conversations once. Raises ConfigError for more turns than there are."""
        if data.has(DATASET):  # an imported run that is judged has none
            self._unrelated = self.read_unrelated(data)
        return self.facts()

    def read_unrelated(self, data: suite.Data) -> tuple[suite.Message, ...]:
        """The first N unrelated exchanges. Raises ConfigError for more than there are."""
        stream = conversation.unrelated_messages(reading.unrelated(data, DATASET))
        return conversation.first_exchanges(stream, self.parameters.inter_turns)

    def facts(self) -> dict[str, str]:
        """What the manifest should say about this cell besides its parameters."""
        return {
            "inter_turns": str(self.parameters.inter_turns),
            "paper_turns": str(self.parameters.paper_turns),
        }

    async def call(
        self, models: suite.Models, talk: Talk, max_tokens: int, *, prefill: bool = False
    ) -> suite.Reply:
        """A reply in the form of the profile. prefill: begin a chat's reply with the opening choice tag."""
        profile = self.parameters.profile
        if profile in profiles.RAW:
            return await models.candidate.complete(profiles.raw(profile, talk), max_tokens=max_tokens)
        messages = profiles.chat(profile, talk)
        if profile in profiles.UNLIMITED:
            return await models.candidate.chat(messages, temperature=None)
        if prefill:
            messages = (*messages, suite.assistant(profiles.OPEN_TAG))
        return await models.candidate.chat(messages, max_tokens=max_tokens, continue_final=prefill)

    async def ask(self, models: suite.Models, talk: Talk, max_tokens: int) -> suite.Reply:
        """A reply that more will follow on. Raises Stopped where the candidate gave nothing to go on with."""
        reply = await self.call(models, talk, max_tokens)
        if reply.finish in GONE and not reply.text.strip():
            raise Stopped(reply.finish)
        return reply

    async def history(self, item: Item, models: suite.Models, shots: tuple[suite.Message, ...] = ()) -> Talk:
        """Everything before the question. shots: turns of worked examples. Raises Stopped."""
        p = self.parameters
        quoted, explicit = p.method == "rag", p.form == "explicit"
        # upstream's raw templates of the implicit forms have a system text of their own
        own = p.profile in profiles.RAW and not (explicit or quoted)
        start = Talk(
            system=self.prompts.system_implicit() if own else self.prompts.system(),
            told=(suite.user(item.preference),),
            unrelated=(),
            quoted=quoted,
            explicit=explicit,
            choice=bool(item.options),
            shots=shots,
        )
        acknowledgement = None
        if explicit:
            first = start._replace(quoted=False)  # the same request for every method
            reply = await self.ask(models, first, self.acknowledgement_tokens)
            acknowledgement = suite.replied(reply)
        told = conversation.preference_part(item, acknowledgement)
        return start._replace(told=told, unrelated=self._unrelated)

    async def question(self, item: Item, history: Talk, models: suite.Models) -> str:
        """The question framed by the method; `rag` asks the embedder for the closest messages."""
        quoted = ""
        if self.parameters.method == "rag":
            candidates = (*history.told, *history.unrelated)
            texts = [message.content for message in candidates]
            reply = await models.embedder.rank(item.question, texts, top=self.parameters.rag_k)
            quoted = conversation.quotes(self.prompts, self.parameters, candidates, reply.ranking)
        return conversation.framed(self.prompts, self.parameters, item.question, quoted)
