"""How upstream's code puts a conversation to each family of models, where it is no plain chat.

Llama and Mistral get raw strings with their families' control tokens and with upstream's white space: lines
that are indented in some of its templates, line breaks inside of headers, an extra end of turn. GPT gets no
system text outside of `rag`; GPT and Gemini get neither temperature nor limit. Not here: what is said.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import suite

Profile = Literal["chat", "llama", "mistral", "gpt", "gemini"]
Stage = Literal["question", "critique", "revision"]
RAW = ("llama", "mistral")
UNLIMITED = ("gpt", "gemini")
INDENT = 8 * " "
OPEN_TAG = "<choice>"


class Talk(NamedTuple):
    """A conversation by its parts.

    shots: worked examples, before all else. told: where the preference shows. unrelated: exchanges in
    between. rest: the question and, in self-critique, what followed. quoted: whether `rag` quotes in it.
    explicit: whether the preference is stated. choice: whether an option is picked.
    """

    system: str
    told: tuple[suite.Message, ...]
    unrelated: tuple[suite.Message, ...]
    rest: tuple[suite.Message, ...] = ()
    quoted: bool = False
    explicit: bool = True
    choice: bool = False
    shots: tuple[suite.Message, ...] = ()

    @property
    def stage(self) -> Stage:
        """What is asked last: the question, a critique of the answer, or a revision."""
        stages: tuple[Stage, ...] = ("question", "critique", "revision")
        return stages[len(self.rest) // 2]

    @property
    def messages(self) -> tuple[suite.Message, ...]:
        """The whole as a chat."""
        return (suite.system(self.system), *self.shots, *self.told, *self.unrelated, *self.rest)


def of_model(name: str) -> Profile:
    """The profile by which upstream asks a model, from its short name, as upstream looks for it."""
    families = ("mistral", "claude", "llama", "gpt", "gemini")
    family = next((one for one in families if one in name), "claude")
    return "chat" if family == "claude" else family  # type: ignore[return-value]


def problem(profile: Profile, *, explicit: bool, method: str, choice: bool) -> str:
    """Why upstream's code cannot ask so, "" if it can."""
    if profile not in UNLIMITED:
        return ""
    if choice:
        return f"upstream's classification has no prompt for {profile}"
    if not explicit:
        return f"upstream has no prompt for {profile} in the implicit forms"
    if method == "selfcritic" or (method == "rag" and profile == "gemini"):
        return f"upstream has no prompt for {profile} with {method}"
    return ""


def chat(profile: Profile, talk: Talk) -> tuple[suite.Message, ...]:
    """The messages of a profile that chats."""
    return talk.messages[1:] if profile == "gpt" and not talk.quoted else talk.messages


def raw(profile: Profile, talk: Talk) -> str:
    """The string that a raw profile continues."""
    if not talk.rest:
        return _first_llama(talk) if profile == "llama" else _first_mistral(talk)
    return _llama(talk) if profile == "llama" else _mistral(talk)


def _header(role: str) -> str:
    return f"<|start_header_id|>{role}<|end_header_id|>"


def _first_llama(talk: Talk) -> str:
    """The request for a reply to the preference."""
    system, preference = f"{_header('system')}\n\n{talk.system} <|eot_id|>", talk.told[0].content
    return f"\n<|begin_of_text|>{system}{_header('user')}\n\n{preference}<|eot_id|>{_header('assistant')}\n"


def _first_mistral(talk: Talk) -> str:
    return f"<s>[INST]{talk.system} {talk.told[0].content} [/INST]"


def _llama(talk: Talk) -> str:
    lines = ["<|begin_of_text|>", *_block("system", talk.system)]
    if talk.explicit:
        lines += [line for one in talk.told for line in _block(one.role, one.content)]
    else:
        lines.append(_run_of_llama(talk.told))
    if talk.stage == "critique" and not talk.explicit:
        lines.append("<|eot_id|>")
    if talk.stage == "critique" and talk.explicit:
        lines[-1] += _run_of_llama(talk.unrelated)
    else:
        lines.append(_run_of_llama(talk.unrelated))
    lines += [line for one in talk.rest for line in _block(one.role, one.content)]
    lines.append(_header("assistant"))
    indented = talk.stage != "question" or not (talk.explicit or talk.quoted)
    if talk.stage != "question":
        lines.append("")
    return f"\n{INDENT if indented else ''}".join(lines)


def _block(role: str, content: str) -> list[str]:
    return [_header(role), content, "<|eot_id|>"]


def _run_of_llama(messages: Sequence[suite.Message]) -> str:
    return "".join(f"{_header(one.role)}\n{one.content}<|eot_id|>" for one in messages)


def _mistral(talk: Talk) -> str:
    lines = ["<s>[INST]", talk.system]
    if talk.explicit:
        lines += [talk.told[0].content, "[/INST]", f"{talk.told[1].content}</s>"]
    else:
        lines.append(_run_of_mistral(talk.told).removeprefix("[INST]"))
        lines += {"question": [], "critique": ["[/INST]"], "revision": [""]}[talk.stage]
    lines.append(_run_of_mistral(talk.unrelated))
    for one in talk.rest:
        lines += ["[INST]", one.content, "[/INST]"] if one.role == "user" else [f"{one.content}</s>"]
    if talk.choice and talk.stage != "critique":
        lines.append(OPEN_TAG)
    if talk.choice or talk.stage != "question":
        lines.append("")
    return "\n".join(lines)


def _run_of_mistral(messages: Sequence[suite.Message]) -> str:
    return "".join(
        f"[INST] {one.content} [/INST]" if one.role == "user" else f"{one.content}</s>" for one in messages
    )
