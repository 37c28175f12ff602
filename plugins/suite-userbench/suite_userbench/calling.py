"""How a candidate moves: by native tool calls, or by JSON in its text. Chosen by what the model can do.

What can't be read is a move, too: one with a `problem`, which costs a turn. Not here: what a move does.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import suite
from suite_userbench.users.llm import read_object

CHOICES = ("search", "action", "answer")
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "thought": {"type": "string", "description": "Your reasoning; nobody else reads it."},
        "choice": {
            "enum": list(CHOICES),
            "description": "search: ask the database; action: talk to the user; answer: recommend an option.",
        },
        "content": {"type": "string", "description": "The query, the message, or one option id."},
    },
    "required": ["thought", "choice", "content"],
    "additionalProperties": False,
}
TOOL = suite.Tool(
    "interact_with_env", "Make one move: search the database, talk to the user, or answer.", _SCHEMA
)
_TAGGED = re.compile(r"^[^\S\n]*(\[(?:search|action|answer)\].*)", re.DOTALL | re.MULTILINE)
Way = Literal["tools", "json", "text"]


@dataclass(frozen=True, slots=True)
class Move:
    """What the candidate did in a turn: an action string, or what is wrong with it.

    dropped: tool calls beyond the first. call: the tool call that stands in the history.
    """

    action: str
    problem: str = ""
    dropped: int = 0
    call: suite.ToolCall | None = None


def way_of(calling: str, candidate: suite.Model) -> Way:
    """How this candidate moves. Raises CapabilityError if tools are asked for and it has none."""
    if calling == "tools" and "tools" not in candidate.capabilities:
        raise suite.CapabilityError(
            f"{candidate.name} has no tools", fix="leave -P calling at auto, or take -P calling=text"
        )
    if calling != "text" and "tools" in candidate.capabilities:
        return "tools"
    return "json" if "json_schema" in candidate.capabilities else "text"


def options(way: Way, max_tokens: int) -> dict[str, Any]:
    """What a request says about it. Guided JSON is kept short enough to be closed within `max_tokens`."""
    if way == "tools":
        return {"tools": (TOOL,), "tool_choice": "required"}
    if way == "text":
        return {}
    properties = {
        **_SCHEMA["properties"],
        "thought": {"type": "string", "maxLength": 2 * max_tokens},  # about half of the tokens
        "content": {"type": "string", "maxLength": max_tokens},
    }
    return {"json_schema": {**_SCHEMA, "properties": properties}}


def read(way: Way, reply: suite.Reply, released: bool = False) -> Move:
    """The move of a reply. released: read the arguments of a call as the released harness does."""
    if way == "tools" and reply.tool_calls:
        return _from_call(reply.tool_calls, released)
    if not reply.text.strip():
        problems = {"refused": "refused", "length": "cut-off"}
        return Move("", problems.get(reply.finish, "empty"))
    if way == "tools":
        return Move(reply.text, "cut-off" if reply.finish == "length" else "no-tool-call")
    return _from_text(reply.text, reply.finish, released)


def _from_call(calls: Sequence[suite.ToolCall], released: bool) -> Move:
    call, dropped = calls[0], len(calls) - 1
    if call.name != TOOL.name and not released:
        return Move(f"{call.name}({call.arguments})", "unknown-tool", dropped)
    try:
        arguments = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return Move(call.arguments, "bad-arguments", dropped)
    action = (_released_action if released else _action)(arguments)
    if action is None:
        return Move(call.arguments, "bad-arguments", dropped)
    return Move(action, "", dropped, call)


def _from_text(text: str, finish: str, released: bool) -> Move:
    found = read_object(text)
    if found is not None and (action := (_released_action if released else _action)(found)) is not None:
        return Move(action)
    if match := _TAGGED.search(text):
        return Move(match[1].strip())
    return Move(text, "cut-off" if finish == "length" else "no-json")


def _action(arguments: Any) -> str | None:
    """The action string of a tool call's arguments; None if it isn't one."""
    if (
        not isinstance(arguments, dict)
        or arguments.get("choice") not in CHOICES
        or "content" not in arguments
    ):
        return None
    content = arguments["content"]
    try:
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    except RecursionError:
        return None
    tag = f"[{arguments['choice']}]"
    return text if text.startswith(tag) else f"{tag} {text}"


def _released_action(arguments: Any) -> str | None:
    """The action string as the released harness makes it; None where it ends the rollout.

    All three fields must be there. A choice outside the list leaves the content as it is, which then is a
    format error unless it has a tag of its own; content that is no text cannot be given a tag.
    """
    if not isinstance(arguments, dict) or not {"choice", "content", "thought"} <= arguments.keys():
        return None
    choice, content = arguments["choice"], arguments["content"]
    if choice not in CHOICES:
        return str(content)
    if not isinstance(content, str):
        return None
    tag = f"[{choice}]"
    return content if content.startswith(tag) else f"{tag} {content}"


def told(move: Move, reply: suite.Reply, feedback: str) -> tuple[suite.Message, suite.Message]:
    """How a turn stands in the conversation: the candidate's message and what came of it.

    A malformed tool call is kept as text: many chat templates fail on arguments that are no JSON.
    """
    if move.call is not None:
        call = move.call if move.call.id else suite.ToolCall(move.call.name, move.call.arguments, "call")
        return suite.assistant("", (call,)), suite.tool_result(feedback, call.id)
    text = reply.text if reply.text.strip() else move.action
    return suite.replied(suite.Reply(text)), suite.user(feedback)
