"""One model of one server, as it is asked on the routes beside chat and completions."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from suite.chat import Reply
from suite.models.connection import Answer
from suite.models.faults import EndpointRefusal, read_refusal, refused
from suite.models.peer_json import decoded
from suite.models.wire import encode
from suite.secrets import Scrubber

T = TypeVar("T")


class Peer(NamedTuple):
    """post: sends bytes to a route. scrub: takes keys out of what comes back."""

    post: Callable[[str, bytes], Awaitable[Answer]]
    model: str
    scrub: Scrubber

    async def ask(self, path: str, **fields: object) -> Answer:
        """The answer to those fields that are not None. Raises CallFailed where there is none."""
        told = {name: value for name, value in fields.items() if value is not None}
        return await self.post(path, encode({"model": self.model, **told}))

    def read(self, answer: Answer, kind: type[T]) -> T:
        """What an answer of status 200 holds. Raises CallFailed: bad-json, bad-shape."""
        return decoded(answer.body, kind, self.scrub)

    def refusal(self, answer: Answer) -> EndpointRefusal:
        """What an answer of another status says."""
        return read_refusal(answer.body, self.scrub)

    def refused(self, answer: Answer) -> Reply:
        """The reply where the candidate failed. Raises CallFailed for everything else."""
        return refused(answer.status, answer.headers, self.refusal(answer))
