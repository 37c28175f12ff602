"""A client of one model behind one OpenAI-compatible server: a request in, a reply out.

Shared by every engine that speaks HTTP: hosted endpoints, the managed vLLM server, the embedded model.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

import msgspec

from suite.chat import Json, Options, Reply, Request
from suite.errors import CallFailed
from suite.models import classifier, likelihood, rankings
from suite.models.classifier import Head
from suite.models.connection import Answer
from suite.models.endpoint import told
from suite.models.engine import Note, silent
from suite.models.faults import SettingRefused, TooMuchAsked, refused
from suite.models.http import HttpClient
from suite.models.options import ServerOptions
from suite.models.peer import Peer, tokenized
from suite.models.peer_json import PeerObject, decode, gathered, is_stream
from suite.models.reply import read_reply
from suite.models.strict_schemas import plain
from suite.models.wire import Dialect, chat_body, complete_body
from suite.models.wordings import own_wordings
from suite.secrets import Scrubber

UNEXPLAINED = ("status-400", "status-422")
# changes of a dialect that leave a field out and change no answer, or no more than a refused one does
GUESSES: tuple[dict[str, Json], ...] = ({"seed": False}, {"seed": False, "schema": "off"})
Body = Callable[[Request, str, Dialect, int | None, dict[str, Json]], bytes]


class _Cards(msgspec.Struct):
    data: list[dict[str, Json]]


class _Prompt(msgspec.Struct):
    prompt: str


class OpenAIClient:
    """Asks one model.

    base_url: with the /v1 most servers have; routes beside it (/classify, /tokenize) are found without.
    secrets: what is taken out of all that comes back. extra: fields added to every chat and completion body.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        dialect: Dialect,
        headers: Mapping[str, str],
        secrets: Iterable[str],
        options: ServerOptions,
        extra: Mapping[str, Json] | None = None,
        head: Head | None = None,
        proxy_env: bool = False,
    ) -> None:
        self.model = model
        self.window: int | None = None  # tokens, where the server's list of models tells it
        self._own = own_wordings(options.overflow_says, options.refused_says)
        self._given = self._dialect = dialect
        self.answered = False  # whether it ever gave a reply to a prompt
        self.note: Note = silent  # is told what is done otherwise, since the endpoint refused it
        self.scrub = self._scrub = Scrubber(secrets)
        self._extra = dict(extra or {})
        base_url, mark, query = base_url.partition("?")
        self._query = mark + query
        root, versioned, _ = base_url.rpartition("/v1")
        self._v1 = "/v1" if versioned and base_url.endswith("/v1") else ""
        self._http = HttpClient(
            root if self._v1 else base_url, headers, timeout_s=options.timeout_s, proxy_env=proxy_env,
            most_bytes=int(options.reply_mib * 2**20),
        )  # fmt: skip
        self._peer = Peer(self._post, model, self._scrub)
        self._head = head or Head()

    def speak(self, dialect: Dialect) -> None:
        self._given = self._dialect = dialect

    def send_once(self, once: bool) -> None:
        """Whether a request that a kept connection lost is a failed call, and not sent again."""
        self._http.once = once

    async def close(self) -> None:
        await self._http.close()

    async def call(self, request: Request, seed: int | None) -> Reply:
        """Answer one request. Raises CallFailed."""
        match request.kind:
            case "chat":
                reply = await self._text(request, seed, "/v1/chat/completions", chat_body)
                if request.options.continue_final and self._dialect.echoes:
                    said = request.messages[-1].content
                    reply = msgspec.structs.replace(reply, text=reply.text.removeprefix(said))
            case "complete":
                reply = await self._text(request, seed, "/v1/completions", complete_body)
            case "rate":
                reply = await classifier.rate(request, self._peer, self._head)
            case "logprobs":
                reply = await likelihood.likelihoods(request, self._peer)
            case "rank":
                reply = await rankings.rank(request, self._peer)
        if not self._scrub:
            return reply
        whole = msgspec.json.encode(reply)  # a key may stand there in a way that only decoding shows
        clean = self._scrub.bytes(whole)
        return reply if clean is whole else msgspec.json.decode(clean, type=Reply)

    async def _text(self, request: Request, seed: int | None, path: str, body: Body) -> Reply:
        """The answer, with no more new tokens than there is room for where the window is known.

        Where a refusal counts nothing, a request for one token tells whether the prompt is what does not fit.
        """
        asked = request.options.max_tokens
        try:
            reply = await self._adapting(path, request, seed, body)
        except TooMuchAsked as much:
            if self.window is None or not 0 < much.room < (asked or self.window):
                raise
            reply = await self._adapting(path, _at_most(much.room, request), seed, body)
            return _with_details(reply, max_tokens=much.room, max_tokens_asked=asked)
        told = reply.details if reply.finish == "overflow" and isinstance(reply.details, dict) else {}
        if "row" in told and not {"prompt", "total"} & set(told) and (asked or 0) > 1:
            try:
                alone = await self._adapting(path, _at_most(1, request), seed, body)
            except CallFailed:
                return reply
            if alone.finish != "overflow":
                raise TooMuchAsked(told["refusal"], asked)
        return reply

    async def rendered(self, messages: Sequence[Mapping[str, str]], switches: Mapping[str, Json]) -> str:
        """A conversation by the server's template. Raises CallFailed: "template" where it refuses that."""
        body = {"messages": messages, "chat_template_kwargs": switches or None}
        if self._dialect.name == "llamacpp":
            return await self._said("/apply-template", **body)
        ids = await tokenized(self._peer, **body, add_special_tokens=False)
        if isinstance(ids, str):
            raise CallFailed("template", ids, retryable=False)
        return await self._said("/detokenize", tokens=ids)

    async def _said(self, path: str, **body: object) -> str:
        answer = await self._peer.ask(path, **body)
        if answer.status != 200:
            self._peer.refused(answer)
        return self._peer.read(answer, _Prompt).prompt

    async def _adapting(self, path: str, request: Request, seed: int | None, body: Body) -> Reply:
        """The reply to a request, made otherwise where the endpoint refuses a setting that can be left out.

        What one call learned holds for all later ones. An endpoint that never answered may refuse what it
        does not name: it is then asked without what changes no answer. Raises CallFailed.
        """
        try:
            reply = await self._as_refused(path, request, seed, body)
        except CallFailed as failed:
            if self.answered or failed.kind not in UNEXPLAINED:
                raise
            reply = await self._guessed(failed, path, request, seed, body)
        self.answered = True
        return reply

    async def _guessed(
        self, failed: CallFailed, path: str, request: Request, seed: int | None, body: Body
    ) -> Reply:
        """The reply to a request without a seed, then without a schema. Raises `failed` if none helps."""
        given, tried = self._dialect, [body(request, self.model, self._dialect, seed, self._extra)]
        for changes in GUESSES:
            other = msgspec.structs.replace(given, **changes)
            if (asked := body(request, self.model, other, seed, self._extra)) in tried:
                continue
            tried.append(asked)
            answer = await self._post(path, asked)
            with suppress(CallFailed):
                reply = self._reply(answer, request.options, other)
                self._dialect = other
                left_out = " and ".join(changes)
                self.note("unexplained", f"goes on without {left_out}: the endpoint said {failed.message!r}")
                return reply
        raise failed

    async def _as_refused(self, path: str, request: Request, seed: int | None, body: Body) -> Reply:
        """The reply to a request, changed as each refusal says."""
        tried: list[bytes] = []
        while True:
            dialect = self._dialect
            tried.append(body(request, self.model, dialect, seed, self._extra))
            answer = await self._post(path, tried[-1])
            try:
                return self._reply(answer, request.options, dialect)
            except SettingRefused as refused:
                learned = self._dialect is not dialect
                other = self._dialect if learned else msgspec.structs.replace(dialect, **refused.does)
                if body(request, self.model, other, seed, self._extra) in tried:
                    raise SettingRefused(refused.said, refused.wording, in_vain=True) from refused
                if not learned:
                    self._dialect = other
                    words = f"goes on as with {refused.option}: the endpoint said {refused.said!r}"
                    self.note(refused.row, words)

    async def cards(self) -> dict[str, dict[str, Json]]:
        """The models that the server lists, by name, and what it tells of each. Raises CallFailed."""
        answer = await self._get("/v1/models")
        if answer.status != 200:
            self._peer.refused(answer)
        data = self._peer.read(answer, _Cards).data
        return {name: told(one, self._scrub) for one in data if isinstance(name := one.get("id"), str)}

    async def text(self, path: str) -> str:
        """A small document beside /v1 (/version, /metrics), "" if the server has none. Raises CallFailed."""
        answer = await self._get(path)
        return answer.body.decode("utf-8", "replace") if answer.status == 200 else ""

    async def document(self, path: str) -> PeerObject:
        """The JSON object at a route beside /v1, {} if none; `POST /path` asks it for the model."""
        verb, _, posted = path.rpartition(" ")
        with suppress(CallFailed, ValueError):
            answer = await (self._peer.ask(posted) if verb else self._get(path))
            return decode(answer.body, PeerObject) if answer.status == 200 else {}
        return {}

    async def _post(self, path: str, body: bytes) -> Answer:
        return self._cleaned(await self._http.post(self._path(path), body))

    async def _get(self, path: str) -> Answer:
        return self._cleaned(await self._http.get(self._path(path)))

    def _cleaned(self, answer: Answer) -> Answer:
        """What was answered, without the keys that a peer gives back."""
        if not self._scrub:
            return answer
        headers, body = answer.headers, self._scrub.bytes(answer.body)
        said = "\n".join(headers.values())
        if self._scrub.known(said) != said:
            headers = {name: self._scrub.known(value) for name, value in headers.items()}
        return Answer(answer.status, headers, body)

    def _path(self, path: str) -> str:
        """Where a route is: a base URL that does not end in /v1 holds the routes itself."""
        return (path if self._v1 else path.removeprefix("/v1")) + self._query

    def _reply(self, answer: Answer, options: Options, dialect: Dialect) -> Reply:
        """What an answer to a body in a dialect says. Raises CallFailed."""
        if 300 <= answer.status < 400:
            where = self._scrub(answer.headers.get("location", "elsewhere"))
            told = f"the endpoint redirects to {where}: give the base URL that it redirects to"
            raise CallFailed(f"status-{answer.status}", told, retryable=False)
        if answer.status != 200:
            refusal = self._peer.refusal(answer)
            reply = refused(answer.status, answer.headers, refusal, own=self._own, asked=options.max_tokens)
        else:
            streams = is_stream(answer.headers, answer.body)
            body = gathered(answer.body, self._scrub) if streams else answer.body
            reply = read_reply(body, self._scrub, options)
        if options.json_schema is not None and dialect.schema == "strict":
            reply = msgspec.structs.replace(reply, text=plain(reply.text, options.json_schema))
        if dialect is self._given:
            return reply
        fields = msgspec.structs.asdict(dialect)
        changed = {name: value for name, value in fields.items() if value != getattr(self._given, name)}
        return _with_details(reply, adapted=changed)


def _with_details(reply: Reply, **more: Json) -> Reply:
    held = reply.details if isinstance(reply.details, dict) else {}
    return msgspec.structs.replace(reply, details={**held, **more})


def _at_most(most: int, request: Request) -> Request:
    options = msgspec.structs.replace(request.options, max_tokens=most)
    return msgspec.structs.replace(request, options=options)
