"""The faults the loopback server can answer with."""

import time
from email.utils import formatdate

from aiohttp import web
from openai_shapes import Body, completion, error_response, json_response

FAULTS = (
    "429", "429-date", "quota", "500", "502", "503", "529", "401", "403", "404", "400", "slow", "reset",
    "half-body", "bad-json", "html", "wrong-shape", "error-200", "error-200-429", "empty-choices",
    "null-content", "empty-content", "content-filter", "content-filter-400", "refusal", "length",
    "overflow", "overflow-openai", "overflow-llama", "abort", "nan",
)  # fmt: skip


def fixed_fault(fault: str) -> web.Response | None:
    if fault == "429":
        return error_response(429, "Rate limit reached", "rate_limit_exceeded", Retry_After="0.05")
    if fault == "429-date":
        when = formatdate(time.time() + 900, usegmt=True)
        return error_response(429, "Rate limit reached", Retry_After=when)
    if fault == "quota":
        return error_response(
            429, "You exceeded your current quota", "insufficient_quota", "insufficient_quota"
        )
    if fault in ("500", "502", "503", "529"):
        return error_response(int(fault), "The server had an error")
    if fault == "401":
        return error_response(401, "Incorrect API key provided: sk-loopback-0123456789", "invalid_api_key")
    if fault in ("400", "403"):
        return error_response(int(fault), "Not like this", "bad")
    if fault == "404":
        return error_response(404, "The model `nothing` does not exist.", "model_not_found")
    if fault == "bad-json":
        return web.Response(body=b'{"choices": [{"message": {"content": "am', content_type="application/json")
    if fault == "html":
        return web.Response(text="<html><body>Bad gateway</body></html>", content_type="text/html")
    if fault == "wrong-shape":
        return json_response({"choices": "none", "usage": 3})
    if fault == "error-200":
        return json_response(
            {"error": {"message": "upstream worker died", "type": "server_error", "code": 500}}
        )
    if fault == "error-200-429":
        return json_response({"error": {"message": "slow down", "code": 429}})
    if fault == "content-filter-400":
        return error_response(400, "The response was filtered", "content_filter")
    if fault == "overflow":
        return error_response(
            400,
            "This model's maximum context length is 2048 tokens. However, your request has 3000 tokens.",
            kind="BadRequestError",
        )
    if fault == "overflow-openai":
        return error_response(
            400, "Your input exceeds the context window of this model.", "context_length_exceeded"
        )
    if fault == "overflow-llama":
        body = {
            "code": 400,
            "message": "the request exceeds the available context size",
            "type": "exceed_context_size_error",
            "n_prompt_tokens": 3000,
            "n_ctx": 2048,
        }
        return json_response({"error": body}, 400)
    if fault == "nan":
        return web.Response(
            body=b'{"data":[{"index":0,"label":"x","probs":[NaN],"num_classes":1}]}',
            content_type="application/json",
        )
    return None


def chat_fault(fault: str) -> web.Response:
    message: Body = {"role": "assistant", "content": "amber basin"}
    reason = "stop"
    choices = True
    if fault == "empty-choices":
        choices = False
    elif fault == "null-content":
        message["content"] = None
    elif fault == "empty-content":
        message["content"] = "  "
    elif fault == "content-filter":
        message["content"], reason = None, "content_filter"
    elif fault == "refusal":
        message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    elif fault == "length":
        reason = "length"
    elif fault == "abort":
        reason = "abort"
    else:
        return error_response(500, f"no fault named {fault!r}; known: {', '.join(FAULTS)}")
    body = completion({}, "chat.completion", {"index": 0, "message": message, "finish_reason": reason}, 7, 2)
    return json_response(body if choices else {**body, "choices": []})
