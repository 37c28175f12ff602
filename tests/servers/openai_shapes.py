"""What the loopback server says: tokens, log-probabilities, rewards and texts, from the request alone."""

import argparse
import hashlib
import re
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

Body = dict[str, Any]
Answer = Callable[[Body], "str | Body | Awaitable[str | Body]"]

WORDS = ("amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbor")
_encode = msgspec.json.Encoder().encode
BOS, EOT, NEWLINE = 1, 2, 3
_ROLES = {"system": 4, "user": 5, "assistant": 6, "tool": 7}


def word_id(word: str) -> int:
    """The token of a word, 100 to 32099."""
    return 100 + int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "big") % 32_000


def token_ids(text: str) -> list[int]:
    """One token a run of non-space with the space before it."""
    return [word_id(word) for word in re.findall(r"\s*\S+", text)]


def render_ids(messages: list[Body], add_generation_prompt: bool) -> list[int]:
    """The chat template of this server: BOS, then [role] words [end] [newline] for each message."""
    ids = [BOS]
    for message in messages:
        ids += [_ROLES[message["role"]], *token_ids(message["content"]), EOT, NEWLINE]
    return [*ids, _ROLES["assistant"]] if add_generation_prompt else ids


def token_logprob(before: int, token: int) -> float:
    """Log-probability of a token after another: a fixed function of both, in (-8, 0)."""
    digest = hashlib.blake2b(f"{before},{token}".encode(), digest_size=4).digest()
    return -8.0 * (int.from_bytes(digest, "big") + 1) / (2**32 + 1)


def hash_reward(messages: list[Body]) -> float:
    """A fixed reward in [-4, 4) for a conversation."""
    digest = hashlib.blake2b(_encode([m["content"] for m in messages]), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**29 - 4.0


def hash_text(body: Body) -> str:
    """Eight words from the hash of a request."""
    kept = {k: v for k, v in body.items() if k != "seed" or (body.get("temperature") or 0) > 0}
    digest = hashlib.blake2b(_encode(kept), digest_size=8).digest()
    return " ".join(WORDS[byte % 8] for byte in digest)


def script_answer(rules: list[Body]) -> Answer:
    """The first rule whose `contains` stands in the last message; several `texts` are chosen by hash."""

    def answer(body: Body) -> str | Body:
        text = last_text(body)
        for rule in rules:
            if rule.get("contains", "") in text:
                texts = rule.get("texts") or [rule.get("text", "")]
                digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
                return str(texts[int.from_bytes(digest, "big") % len(texts)])
        return hash_text(body)

    return answer


def last_text(body: Body) -> str:
    """The last message or the prompt."""
    messages = body.get("messages")
    if messages:
        return str(messages[-1].get("content") or "")
    prompt = body.get("prompt", body.get("input", ""))
    return prompt if isinstance(prompt, str) else ""


def json_response(value: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=_encode(value), status=status, headers=headers, content_type="application/json")


def error_response(
    status: int, message: str, code: str | None = None, kind: str = "error", **headers: str
) -> web.Response:
    body = {"error": {"message": message, "type": kind, "code": code, "param": None}}
    return json_response(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]


def new_logprobs(words: list[str], top: int) -> list[Body]:
    alternatives = [{"token": WORDS[k % 8], "logprob": -1.0 - k, "bytes": None} for k in range(top)]
    return [{"token": word, "logprob": -0.25, "bytes": None, "top_logprobs": alternatives} for word in words]


def completion(body: Body, kind: str, choice: Body, prompt: int, new: int) -> Body:
    return {
        "id": "loopback",
        "object": kind,
        "created": 0,
        "model": body.get("model", "loopback"),
        "choices": [choice],
        "usage": {"prompt_tokens": prompt, "completion_tokens": new, "total_tokens": prompt + new},
    }


def embeddings(body: Body) -> web.Response:
    """32 numbers in [0, 1] for each text, from its hash."""
    data = [
        {
            "index": i,
            "object": "embedding",
            "embedding": [byte / 255 for byte in hashlib.sha256(text.encode()).digest()],
        }
        for i, text in enumerate(listed(body["input"]))
    ]
    usage = {"prompt_tokens": 1}
    return json_response({"object": "list", "data": data, "model": body.get("model"), "usage": usage})


def tokenized(body: Body, window: int) -> web.Response:
    """Token ids of a conversation or a prompt."""
    if "messages" in body:
        ids = render_ids(body["messages"], body.get("add_generation_prompt", True))
        ids = [BOS] * bool(body.get("add_special_tokens", False)) + ids
    else:
        ids = [BOS] * bool(body.get("add_special_tokens", True)) + token_ids(body["prompt"])
    return json_response({"count": len(ids), "max_model_len": window, "tokens": ids})


def metrics(requests: int) -> web.Response:
    """Counters as vLLM writes them: ten tokens asked and four found in the cache for each request."""
    lines = (
        "# TYPE vllm:prefix_cache_queries_total counter",
        f'vllm:prefix_cache_queries_total{{engine="0",model_name="m"}} {float(10 * requests)}',
        f'vllm:prefix_cache_hits_total{{engine="0",model_name="m"}} {float(4 * requests)}',
    )
    return web.Response(text="\n".join(lines) + "\n")


def prompt_logprobs(ids: list[int]) -> list[Body | None]:
    """One entry a token as vLLM gives them, the first null."""
    rows: list[Body | None] = [None]
    for before, token in pairwise(ids):
        one = {"logprob": token_logprob(before, token), "rank": 1, "decoded_token": f"<{token}>"}
        rows.append({str(token): one})
    return rows


def too_long_error(tokens: int, window: int) -> web.Response:
    """vLLM's refusal of a prompt beyond the window."""
    message = (
        f"This model's maximum context length is {window} tokens. However, your request has "
        f"{tokens} input tokens. Please reduce the length of the input messages."
    )
    return error_response(400, message, kind="BadRequestError")


def arguments(description: str) -> argparse.Namespace:
    """The command line of the server."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", type=Path, help="write the port here when listening")
    parser.add_argument("--constant", help="answer every request with this text")
    parser.add_argument("--echo", action="store_true", help="answer with the last message")
    parser.add_argument("--script", type=Path, help="JSON list of rules")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--slow-s", type=float, default=30.0)
    parser.add_argument("--faults", default="", help="comma-separated, in turn")
    parser.add_argument("--fault-every", default="", help="N:FAULT")
    parser.add_argument("--window", type=int)
    parser.add_argument("--models", default="", help="comma-separated")
    parser.add_argument("--api-key", default="")
    return parser.parse_args()
