"""Models by the transformers library in this process: reward heads that vLLM does not serve, and CPUs.

Slow beside a server, exact in return: the template once, raw logits, nothing cut. Calls that wait
together are rated in one batch. torch is imported when the engine starts, never before.
"""

import asyncio
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import Field

from suite.chat import Finish, Json, Reply, Request, Usage, assistant, user
from suite.errors import EngineError
from suite.models.checkpoints import Checkpoint, Family, check_reward, family_of, head_of, read_checkpoint
from suite.models.classifier import Head, Rated, rating_reply
from suite.models.engine import Asking, Engine, Surroundings, installed, present
from suite.models.extras import gpu_in_sight, need_gpu
from suite.models.likelihood import PROBES, answer_span, likelihood_of, template_tail
from suite.models.options import PROMPTED, EngineOptions, EngineProvider, check_needs
from suite.models.peer import TemplateRejected
from suite.models.spec import ModelSpec
from suite.models.thinking import template_lacks, template_switches

if TYPE_CHECKING:
    from suite.models.torch_model import TorchModel

_GENERATES = PROMPTED | {"logprobs", "prompt_logprobs", "seed"}


class TransformersOptions(EngineOptions):
    """Options of a model in this process."""

    revision: str | None = Field(None, description="commit or branch of the Hub repository")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1 …")
    dtype: str = Field("auto", description="auto (the checkpoint's), float32, bfloat16, float16")
    batch: int = Field(8, ge=1, description="answers rated at once")
    trust_remote_code: bool = Field(False, description="run the code that comes with the weights")
    label: int | None = Field(None, ge=0, description="rate: which of several labels is the reward")
    weights: tuple[float, ...] = Field((), description="rate: weights of several labels")


class TransformersEngine(Engine):
    """One model in memory, asked by one thread at a time. It is looked at when planning asks, not before."""

    _extra = "transformers"

    def __init__(self, spec: ModelSpec, options: TransformersOptions) -> None:
        super().__init__(spec)
        self._options = options
        self._model: TorchModel | None = None
        self._tail: int | None = None
        self._turn = asyncio.Lock()
        self._waiting: list[tuple[list[int], asyncio.Future[list[float]]]] = []

    @cached_property
    def _checkpoint(self) -> Checkpoint | None:
        return read_checkpoint(self.spec.name, self._options.revision)

    @cached_property
    def _family(self) -> Family | None:
        return family_of(self._checkpoint.architectures, self.spec.name) if self._checkpoint else None

    def check(self) -> None:
        super().check()
        if (device := self._options.device).startswith("cuda"):
            need_gpu(f"device={device}", "leave device out, or take -o device=cpu")

    def devices(self) -> int:
        return int(self._options.device != "cpu" and gpu_in_sight())

    def capabilities(self) -> frozenset[str]:
        """Read from the model's config. Raises CapabilityError for a reward head that gives no scalar."""
        if self._family is None or self._checkpoint is None:
            return _GENERATES
        check_reward(self._family, self._checkpoint.labels, self._head(), "transformers", self.spec.text)
        return frozenset({"rate"})

    def _head(self) -> Head:
        return head_of(self._family, False, self._options.label, self._options.weights)

    def identity(self) -> Mapping[str, Json]:
        shaping = self._options.model_dump(mode="json", exclude={"batch", "revision"}, exclude_defaults=True)
        return present(
            provider="transformers", name=self._checkpoint.name if self._checkpoint else self.spec.name,
            engine="transformers", deterministic=True,
            revision=self._checkpoint.revision if self._checkpoint else None,
            engine_version=installed("transformers") or None, options=shaping or None,
        )  # fmt: skip

    def thinks(self, thinking: str | int) -> str:
        """By switches of the chat template; nothing here counts tokens of thinking."""
        return "transformers has no budget for thinking" if isinstance(thinking, int) else ""

    def settings(self) -> Mapping[str, Json] | None:
        """By the model as it was loaded. Nothing of its own generation configuration is taken."""
        return self._model.settings() if self._model is not None and self._family is None else None

    def limits(self) -> Mapping[str, int]:
        """Twice the batch: one is worked on, one waits. The window is known once started."""
        cap = 2 * self._options.batch if self._family else 1
        return {"concurrency": cap, **({"window": self._model.window} if self._model else {})}

    async def start(self, surroundings: Surroundings) -> None:
        self.check()
        await asyncio.to_thread(lambda: self._family)
        surroundings.say(f"{self.spec.text}: loading")
        self._model = await asyncio.to_thread(self._load)
        thinking = self.spec.sampling.get("thinking")
        template = str(getattr(self._model.tokenizer, "chat_template", "") or "")
        if isinstance(thinking, str | int) and (lack := template_lacks(template, thinking)):
            raise EngineError(f"{self.spec.text} cannot be told thinking={thinking}: {lack}")

    def _load(self) -> "TorchModel":
        from suite.models.torch_model import TorchModel

        local = self._checkpoint.folder if self._checkpoint else None
        return TorchModel(
            str(local or self.spec.name), self._family.head if self._family else "none",
            revision=None if local else self._options.revision, device=self._options.device,
            dtype=self._options.dtype, trust=self._options.trust_remote_code,
        )  # fmt: skip

    async def call(self, request: Request, asking: Asking) -> Reply:
        self._started(self._model)
        check_needs(request, self.capabilities(), self.spec.text)
        if request.kind == "rate":
            rated = await asyncio.gather(*(self._rate(request, text) for text in request.texts))
            return rating_reply(list(rated), self.spec.name)
        async with self._turn:
            if request.kind != "logprobs":
                return await asyncio.to_thread(self._generate, request, asking.seed)
            found = [await asyncio.to_thread(self._likelihood, request, text) for text in request.texts]
            return rating_reply(found, self.spec.name)

    async def _rate(self, request: Request, text: str) -> Rated:
        model = self._started(self._model)
        try:
            ids = _ids(model, request, text)
        except TemplateRejected as error:
            return Rated(None, f"template: {error}", 0)
        if len(ids) > model.window:
            return Rated(None, "overflow", len(ids))
        future: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()
        self._waiting.append((ids, future))
        async with self._turn:
            if not future.done():
                await self._flush()
        score, reason = self._head().score(await future)
        return Rated(score, reason, len(ids))

    async def _flush(self) -> None:
        """Rate the longest-waiting answers in one batch."""
        size = self._options.batch
        batch, self._waiting = self._waiting[:size], self._waiting[size:]
        try:
            values = await asyncio.to_thread(self._started(self._model).rewards, [ids for ids, _ in batch])
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(EngineError(f"{self.spec.text} failed: {error}"))
            raise
        for (_, future), row in zip(batch, values, strict=True):
            if not future.done():
                future.set_result(row)

    def _generate(self, request: Request, seed: int | None) -> Reply:
        model, options = self._started(self._model), request.options
        try:
            if request.kind == "complete":
                prompt = model.text_ids(request.prompt)
            else:
                switches = template_switches(options.thinking, options.template)
                continues = options.continue_final
                prompt = model.conversation(request.messages, switches, prompt=True, continues=continues)
        except TemplateRejected as error:
            return Reply(finish="invalid", details={"template": str(error)})
        if len(prompt) >= model.window:
            return Reply(finish="overflow", usage=Usage(prompt=len(prompt)))
        new = model.generate(prompt, options, seed)
        finish: Finish = "length" if not new.stopped else ("stop" if new.text.strip() else "empty")
        usage = Usage(len(prompt), new.tokens)
        return Reply(new.text, finish=finish, usage=usage, logprobs=new.logprobs, model=self.spec.name)

    def _likelihood(self, request: Request, text: str) -> Rated:
        model = self._started(self._model)
        try:
            if request.messages and self._tail is None:
                greeting = Request("logprobs", (user("Hi"),))
                self._tail = template_tail(*(_ids(model, greeting, answer) for answer in (None, *PROBES)))
            prompt, full = _ids(model, request), _ids(model, request, text)
        except TemplateRejected as error:
            return Rated(None, f"template: {error}", 0)
        if len(full) > model.window:
            return Rated(None, "overflow", len(full))
        span = answer_span(prompt, full, (self._tail or 0) if request.messages else 0)
        if span is None:
            return Rated(None, "no-span", len(full))
        return likelihood_of(model.token_logprobs(full, *span), len(full), request.options.normalise)

    async def close(self) -> None:
        self._model = None


def _ids(model: "TorchModel", request: Request, answer: str | None = None) -> list[int]:
    """Of the conversation or raw prompt with an answer; without one, up to where it begins."""
    if not request.messages:
        return model.text_ids(request.prompt + (answer or ""))
    messages = request.messages if answer is None else (*request.messages, assistant(answer))
    template = template_switches(None, request.options.template)
    return model.rated(messages, template, prompt=answer is None)


provider = EngineProvider(TransformersOptions, TransformersEngine)
