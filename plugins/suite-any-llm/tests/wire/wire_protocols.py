"""Gemini's generateContent and Bedrock's Converse as servers speak them, for the checks of the provider."""

import json
from typing import Any

import msgspec

import suite
from suite.testing import Protocol, ProviderCase, WireReply, WireRequest

GEMINI_ENDS = {"stop": "STOP", "empty": "STOP", "length": "MAX_TOKENS", "refused": "SAFETY"}
BEDROCK_ENDS = {
    "stop": "end_turn",
    "empty": "end_turn",
    "length": "max_tokens",
    "refused": "content_filtered",
}
GEMINI_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    429: "RESOURCE_EXHAUSTED",
}
BEDROCK_CODES = {401: "UnrecognizedClientException", 403: "AccessDeniedException", 429: "ThrottlingException"}


def _called(name: str, arguments: Any, identity: str) -> suite.ToolCall:
    return suite.ToolCall(name, json.dumps(arguments), identity)


def _options(given: dict[str, Any]) -> suite.Options:
    return msgspec.convert({name: one for name, one in given.items() if one is not None}, suite.Options)


def _as_json_schema(value: Any) -> Any:
    """A schema of Gemini's, which writes types in capitals and wants a description everywhere."""
    if not isinstance(value, dict):
        return value
    found = {name: _as_json_schema(one) for name, one in value.items() if (name, one) != ("description", "")}
    if isinstance(value.get("type"), str):
        found = {
            "type": value["type"].lower(),
            **{name: one for name, one in found.items() if name != "type"},
        }
    return found


class GeminiProtocol(Protocol):
    """Gemini's `models/NAME:generateContent`."""

    def asked(self, request: WireRequest) -> suite.Request | None:
        if not request.path.partition("?")[0].endswith(":generateContent"):
            return None
        body = json.loads(request.body)
        given = body.get("generationConfig", {})
        options = {
            "temperature": given.get("temperature"), "max_tokens": given.get("maxOutputTokens"),
            "stop": given.get("stopSequences"), "json_schema": given.get("responseJsonSchema"),
        }  # fmt: skip
        offered = [one for tool in body.get("tools", ()) for one in tool["functionDeclarations"]]
        return suite.Request(
            "chat",
            tuple(self._messages(body)),
            tools=tuple(
                suite.Tool(one["name"], one["description"], _as_json_schema(one["parameters"]))
                for one in offered
            ),
            options=_options(options),
        )

    def _messages(self, body: dict[str, Any]) -> list[suite.Message]:
        said = [suite.system(one["text"]) for one in body.get("systemInstruction", {}).get("parts", ())]
        for turn in body["contents"]:
            parts = turn["parts"]
            results = [one["functionResponse"] for one in parts if "functionResponse" in one]
            said += [suite.tool_result(one["response"]["result"], one.get("id", "")) for one in results]
            text = "".join(one.get("text", "") for one in parts)
            calls = [one["functionCall"] for one in parts if "functionCall" in one]
            if turn["role"] == "model":
                said.append(
                    suite.assistant(
                        text, [_called(one["name"], one["args"], one.get("id", "")) for one in calls]
                    )
                )
            elif not results:
                said.append(suite.user(text))
        return said

    def answer(self, reply: suite.Reply, streams: bool) -> WireReply | None:
        if reply.finish not in GEMINI_ENDS:
            return None
        parts: list[suite.Json] = [{"text": reply.reasoning, "thought": True}] if reply.reasoning else []
        parts += [{"text": reply.text}] if reply.text else []
        parts += [
            {"functionCall": {"name": one.name, "args": json.loads(one.arguments), "id": one.id}}
            for one in reply.tool_calls
        ]
        usage = reply.usage
        content: suite.Json = {"role": "model", "parts": parts}
        return WireReply.of({
            "candidates": [{"index": 0, "content": content, "finishReason": GEMINI_ENDS[reply.finish]}],
            "usageMetadata": {
                "promptTokenCount": usage.prompt, "candidatesTokenCount": usage.completion - usage.reasoning,
                "thoughtsTokenCount": usage.reasoning, "cachedContentTokenCount": usage.cached,
                "totalTokenCount": usage.prompt + usage.completion,
            },
            "modelVersion": "gemini-some", "responseId": "r1",
        })  # fmt: skip

    def refusal(self, status: int, means: str, message: str) -> WireReply | None:
        code = GEMINI_CODES.get(status, "UNAVAILABLE")
        return WireReply.of({"error": {"code": status, "message": message, "status": code}}, status)


class ConverseProtocol(Protocol):
    """Bedrock's `model/NAME/converse`."""

    def asked(self, request: WireRequest) -> suite.Request | None:
        if not request.path.endswith("/converse"):
            return None
        body = json.loads(request.body)
        given = body.get("inferenceConfig", {})
        options = {
            "temperature": given.get("temperature"), "max_tokens": given.get("maxTokens"),
            "stop": given.get("stopSequences"),
        }  # fmt: skip
        offered = [one["toolSpec"] for one in body.get("toolConfig", {}).get("tools", ())]
        tools = tuple(
            suite.Tool(one["name"], one["description"], one["inputSchema"]["json"]) for one in offered
        )
        return suite.Request("chat", tuple(self._messages(body)), tools=tools, options=_options(options))

    def _messages(self, body: dict[str, Any]) -> list[suite.Message]:
        said = [suite.system(one["text"]) for one in body.get("system", ())]
        for turn in body["messages"]:
            parts = turn["content"]
            for one in parts:
                if "toolResult" in one:
                    result = one["toolResult"]
                    said.append(suite.tool_result(result["content"][0]["text"], result["toolUseId"]))
            text = "".join(one.get("text", "") for one in parts)
            calls = [one["toolUse"] for one in parts if "toolUse" in one]
            if turn["role"] == "assistant":
                said.append(
                    suite.assistant(
                        text, [_called(one["name"], one["input"], one["toolUseId"]) for one in calls]
                    )
                )
            elif text:
                said.append(suite.user(text))
        return said

    def answer(self, reply: suite.Reply, streams: bool) -> WireReply | None:
        if reply.finish not in BEDROCK_ENDS or reply.usage.reasoning:
            return None
        parts: list[suite.Json] = [{"text": reply.text}] if reply.text else []
        if reply.reasoning:
            parts.insert(0, {"reasoningContent": {"reasoningText": {"text": reply.reasoning}}})
        parts += [
            {"toolUse": {"toolUseId": one.id, "name": one.name, "input": json.loads(one.arguments)}}
            for one in reply.tool_calls
        ]
        usage = reply.usage
        return WireReply.of({
            "output": {"message": {"role": "assistant", "content": parts}},
            "stopReason": "tool_use" if reply.tool_calls else BEDROCK_ENDS[reply.finish],
            "usage": {
                "inputTokens": usage.prompt - usage.cached, "outputTokens": usage.completion,
                "totalTokens": usage.prompt + usage.completion, "cacheReadInputTokens": usage.cached,
            },
        })  # fmt: skip

    def refusal(self, status: int, means: str, message: str) -> WireReply | None:
        code = BEDROCK_CODES.get(status, "ValidationException" if status < 500 else "InternalServerException")
        made = WireReply.of({"message": message}, status)
        return made._replace(headers={**made.headers, "x-amzn-errortype": code})


GEMINI_CASE = ProviderCase(
    "any-llm/gemini/gemini-some", GeminiProtocol(), {"base_url": "{url}"}, key_env="GEMINI_API_KEY"
)
BEDROCK_CASE = ProviderCase(
    "any-llm/bedrock/some.model", ConverseProtocol(),
    {"base_url": "{url}", "client": {"region_name": "us-east-1"}}, key_env="AWS_ACCESS_KEY_ID",
)  # fmt: skip
