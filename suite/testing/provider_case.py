"""A provider under test: how it is made, and how a server speaks the protocol that it speaks.

The neutral words are the suite's own `Request` and `Reply`, so a check compares what a provider made of them
with what it was told.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from suite.chat import Json, Reply, Request
from suite.models.engine import Engine, Provider
from suite.models.spec import parse_spec
from suite.plugins import catalogue
from suite.testing.loopback import WireReply, WireRequest


class Protocol(ABC):
    """One protocol over HTTP, as a server speaks it."""

    @abstractmethod
    def asked(self, request: WireRequest) -> Request | None:
        """What is asked of the model: messages, tools, options; None where the route asks it nothing."""

    @abstractmethod
    def answer(self, reply: Reply, streams: bool) -> WireReply | None:
        """What is to be read as that reply, whole or as a stream; None if there is no such answer."""

    @abstractmethod
    def refusal(self, status: int, means: str, message: str) -> WireReply | None:
        """An error, None if there is none of that meaning: overflow (of the window), refused (by a filter),
        limit (of a rate), key, other. message: its words."""

    def aside(self, request: WireRequest) -> WireReply:  # noqa: ARG002
        """What another route gives, such as the list of models: there is none."""
        return WireReply.of({"error": {"message": "Not Found"}}, 404)


@dataclass(frozen=True)
class ProviderCase:
    """A provider and how to try it.

    spec: of a model that exists nowhere. options: of the engine; `{url}` stands for the server's address.
    streaming: further ones for an endpoint that answers in streams alone, None where there are none.
    impatient: further ones with which a call is given up within about a second. key_env: the variable that
    holds its key, "" if it needs none. provider: None takes the installed one.
    """

    spec: str
    protocol: Protocol
    options: Mapping[str, Json]
    streaming: Mapping[str, Json] | None = None
    impatient: Mapping[str, Json] = field(default_factory=lambda: {"timeout_s": 0.3})
    key_env: str = ""
    provider: Provider | None = None

    def engine(self, url: str = "http://127.0.0.1:9") -> Engine:
        """The engine, not started. Raises SuiteError."""
        words = [(key, json.dumps(value).replace("{url}", url)) for key, value in self.options.items()]
        spec = parse_spec(self.spec, words)
        provider: Provider = self.provider or catalogue().load("provider", spec.provider)
        return provider.engine(spec)
