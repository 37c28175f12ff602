"""A model in memory on torch: conversations to tokens, tokens to logits, log-probabilities and texts.

Conversations are tokenised by the template itself (`apply_chat_template(tokenize=True)`), so that no
second beginning-of-text token can arise. Nothing is ever cut: what is too long is the caller's to refuse.
Everything here blocks; one thread at a time.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import transformers
from torch.nn.utils.rnn import pad_sequence

from suite.chat import Json, Message, Options, TokenLogprob
from suite.data.hub_source import hub_answer
from suite.errors import EngineError
from suite.models.peer import PROBE, TemplateRejected, missing_beginning
from suite.models.settings import NEUTRAL, sha256_text

Ids = list[int]
_HUGE = 1_000_000_000  # tokenizers say 1e30 for "no limit"


class Generated(NamedTuple):
    """New text. `stopped`: it ended by itself or at a stop string, not at the limit."""

    text: str
    tokens: int
    stopped: bool
    logprobs: tuple[TokenLogprob, ...]


class TorchModel:
    """Tokenizer and weights. head: "sequence" or "token" of a reward model, "none" of a causal one."""

    def __init__(
        self, source: str, head: str, *, revision: str | None, device: str, dtype: str, trust: bool
    ) -> None:
        loaders = {
            "none": transformers.AutoModelForCausalLM,
            "sequence": transformers.AutoModelForSequenceClassification,
            "token": transformers.AutoModel,
        }
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        common: dict[str, Json] = {"revision": revision, "trust_remote_code": trust}
        try:
            self.tokenizer = transformers.AutoTokenizer.from_pretrained(source, **common)
            self.model = loaders[head].from_pretrained(source, dtype=dtype, **common)
        except (OSError, ValueError, ImportError, KeyError) as error:
            if answer := hub_answer(error):
                raise EngineError(f"{Path(source).name}: {answer.what}", fix=answer.fix) from error
            fix = "" if trust else "-o trust_remote_code=true if its own code is wanted and trusted"
            raise EngineError(f"transformers cannot load {Path(source).name}: {error}", fix=fix) from error
        self.device = device
        self.model.to(device).eval()
        if head == "none":  # transformers, too, fills what is left open from the model's own configuration
            ends = self.model.generation_config.eos_token_id
            self.model.generation_config = transformers.GenerationConfig(eos_token_id=ends)
        config = self.model.config
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token_id = self.tokenizer.eos_token_id
        sizes = (getattr(config, "max_position_embeddings", None), self.tokenizer.model_max_length)
        self.window = int(min((size for size in sizes if size and size < _HUGE), default=_HUGE))

    def conversation(
        self, messages: Sequence[Message], template: dict[str, Json], *, prompt: bool, continues: bool = False
    ) -> Ids:
        """Token ids; prompt: with the next answer opened. Raises TemplateRejected, EngineError."""
        if not self.tokenizer.chat_template:
            raise EngineError("the tokenizer has no chat template: a base model cannot chat or be rated")
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            ids: Ids = self.tokenizer.apply_chat_template(
                turns, tokenize=True, return_dict=False, add_generation_prompt=prompt and not continues,
                continue_final_message=continues, **template,
            )  # fmt: skip
        except Exception as error:  # whatever the template's own code raises
            raise TemplateRejected(f"{type(error).__name__}: {error}") from error
        return ids

    def settings(self) -> dict[str, Json]:
        """What shapes its answers beside the requests, for the manifest."""
        template = self.tokenizer.chat_template
        return {
            "engine_version": transformers.__version__,
            "context_length": self.window,
            "dtype": str(self.model.dtype).removeprefix("torch."),
            "device": str(self.model.device.type),
            "chat_template_sha256": sha256_text(template) if isinstance(template, str) else None,
            "sampling": {name: value for name, value in NEUTRAL.items() if name != "temperature"},
            "reasoning_parser": "none",
            "tool_parser": "none",
        }

    def rated(self, messages: Sequence[Message], template: dict[str, Json], *, prompt: bool) -> Ids:
        """As `conversation`, with exactly one beginning-of-text token where the tokenizer has any."""
        ids = self.conversation(messages, template, prompt=prompt)
        turns = [{"role": one.role, "content": one.content} for one in PROBE]
        text = self.tokenizer.apply_chat_template(turns, tokenize=False, **template)
        plain = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return missing_beginning(plain, self.tokenizer(text)["input_ids"]) + ids

    def text_ids(self, text: str) -> Ids:
        ids: Ids = self.tokenizer(text)["input_ids"]
        return ids

    def rewards(self, batch: Sequence[Ids]) -> list[list[float]]:
        """Raw head values of each conversation, shape (n, labels): no sigmoid, float32.

        Each is read at its own last token. Sequence classes find it as the last one that is not padding, and
        many tokenizers pad with the token that ends a turn: so an id that no conversation has is the padding.
        """
        used = {token for one in batch for token in one}
        pad = next(token for token in range(self.model.config.vocab_size) if token not in used)
        ids = pad_sequence([torch.tensor(one) for one in batch], batch_first=True, padding_value=pad)
        mask = pad_sequence([torch.ones(len(one), dtype=torch.long) for one in batch], batch_first=True)
        self.model.config.pad_token_id = pad
        with torch.inference_mode():
            asked = {"input_ids": ids.to(self.device), "attention_mask": mask.to(self.device)}
            logits = self.model(**asked).logits.float()
            if logits.dim() == 3:
                logits = logits[torch.arange(len(logits)), mask.sum(dim=1) - 1]
            values: list[list[float]] = logits.cpu().tolist()
        return values

    def token_logprobs(self, ids: Ids, start: int, end: int) -> list[float]:
        """Natural-log probabilities of tokens [start, end), given all before them; start is at least 1."""
        with torch.inference_mode():
            logits = self.model(input_ids=torch.tensor([ids], device=self.device)).logits[0]
            chosen = torch.tensor(ids[start:end], device=self.device)
            logs = torch.log_softmax(logits[start - 1 : end - 1].float(), dim=-1)
            values: list[float] = logs.gather(1, chosen[:, None])[:, 0].cpu().tolist()
        return values

    def generate(self, prompt: Ids, options: Options, seed: int | None) -> Generated:
        """Continue a prompt; greedy at temperature 0, else sampled with the seed."""
        warm = options.temperature is not None and options.temperature > 0
        room = max(1, self.window - len(prompt))
        settings: dict[str, Json] = {
            "max_new_tokens": min(options.max_tokens or room, room),
            "do_sample": warm,
            "temperature": options.temperature if warm else None,
            "top_p": options.top_p if warm else None,
            "top_k": 0 if warm else None,
            "pad_token_id": self.tokenizer.pad_token_id,
            "return_dict_in_generate": True,
            "output_logits": options.logprobs is not None,
        }
        if options.stop:
            settings["stop_strings"] = list(options.stop)
            settings["tokenizer"] = self.tokenizer
        ids = torch.tensor([prompt], device=self.device)
        with torch.inference_mode(), torch.random.fork_rng():
            if seed is not None:
                torch.manual_seed(seed)
            out = self.model.generate(ids, attention_mask=torch.ones_like(ids), **settings)
        new = out.sequences[0, len(prompt) :].tolist()
        ends = self.model.generation_config.eos_token_id
        known = [*(ends if isinstance(ends, list) else [ends]), self.tokenizer.eos_token_id]
        ended = bool(new) and new[-1] in known
        kept = new[:-1] if ended else new
        text = self.tokenizer.decode(kept, skip_special_tokens=True)
        cut = min((place for stop in options.stop if (place := text.find(stop)) >= 0), default=-1)
        top = options.logprobs
        logprobs = () if top is None else self._new_logprobs(kept, out.logits, top)
        return Generated(text if cut < 0 else text[:cut], len(new), ended or cut >= 0, logprobs)

    def _new_logprobs(self, new: Ids, logits: Sequence[torch.Tensor], top: int) -> tuple[TokenLogprob, ...]:
        found = []
        for token, row in zip(new, logits, strict=False):
            logs = torch.log_softmax(row[0].float(), dim=-1)
            values, places = torch.topk(logs, top) if top else (logs[:0], logs[:0].long())
            pairs = zip(places.tolist(), values.tolist(), strict=True)
            best = tuple((self.tokenizer.decode([place]), value) for place, value in pairs)
            found.append(TokenLogprob(self.tokenizer.decode([token]), logs[token].item(), best))
        return tuple(found)
