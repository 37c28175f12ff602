"""llm: the user is played by the model in the role `user`, by three prompts and schema-guided replies.

A reply that is not the JSON asked for, or was cut, is corrected once; then there is no answer, and the
machine has an outcome for that. A call that fails is the runner's matter.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import suite
from suite_userbench.users.finding import UserKind
from suite_userbench.users.protocol import (
    Answer,
    Ask,
    Judgement,
    Line,
    Said,
    Search,
    Speak,
    Utterance,
    UtteranceKind,
    Verdict,
)

MAX_TOKENS = 512
_FENCE = re.compile(r"```(?:json)?\s*+(.*?)```", re.DOTALL)
_ROLES = {"agent": "Agent", "user": "User", "database": "Database"}
Json = dict[str, Any]
KINDS: tuple[UtteranceKind, ...] = get_args(UtteranceKind)


def _schema(properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


SEARCH = _schema({"matches": {"enum": ["yes", "no", "neither"]}, "aspect": {"type": "string"}})
UTTERANCE = _schema({"kind": {"enum": ["hit", "miss", "vague", "chat"]}, "preference": {"type": "string"}})
RESPONSE = _schema({"response": {"type": "string"}})


def read_object(text: str) -> Json | None:
    """The JSON object in a reply: the whole text, else the first fenced block, else the widest braces."""
    tries = [text]
    tries += _FENCE.findall(text)[:1]
    if "{" in text and "}" in text:
        tries.append(text[text.index("{") : text.rindex("}") + 1])
    for one in tries:
        try:
            found = json.loads(one)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return None


def _object(text: str, good: Sequence[str]) -> Json:
    """The JSON object in a reply, with texts under the names given. Raises Unparsed."""
    found = read_object(text)
    if found is None or not all(isinstance(found.get(name), str) for name in good):
        raise suite.Unparsed(f"it is no JSON object with {', '.join(good)}")
    return found


def history_text(history: Sequence[Line]) -> str:
    """The conversation as judges read it, with their notes."""
    if not history:
        return "(nothing has been said yet)"
    return "\n".join(
        f"{_ROLES[line.role]}: {line.text}" + (f" [{line.note}]" if line.note else "") for line in history
    )


class ModelUser:
    """See the module."""

    def __init__(self, model: suite.Model, prompts: suite.Prompts) -> None:
        self._model = model
        self._prompts = prompts

    async def answer(self, ask: Ask) -> Answer | None:
        """The answer to any question of the protocol, None if the model gave none in the schema."""
        if isinstance(ask, Search):
            return await self._search(ask)
        if isinstance(ask, Utterance):
            return await self._judge(ask)
        return await self._speak(ask)

    async def _ask(self, prompt: str, schema: Json, good: tuple[str, ...]) -> Json | None:
        verdict = await suite.judge(
            self._model,
            prompt,
            parse=lambda text: _object(text, good),
            schema=schema,
            retries=1,
            max_tokens=MAX_TOKENS,
            correction=self._prompts.correct_json,
            retry_cut=True,
        )
        return verdict.value

    async def _search(self, ask: Search) -> Verdict | None:
        arguments = "\n".join(
            json.dumps({"aspect": one.name, **one.arguments}, ensure_ascii=False)
            for one in ask.view.scenario.aspects
        )
        prompt = self._prompts.judge_search(arguments=arguments, request=ask.request)
        found = await self._ask(prompt, SEARCH, ("matches",))
        said = "" if found is None else found["matches"].strip().lower()
        if found is None or said not in ("yes", "no", "neither"):
            return None
        matches = {"yes": True, "no": False, "neither": None}[said]
        aspect = found.get("aspect")
        return Verdict(matches, aspect if isinstance(aspect, str) else "")

    async def _judge(self, ask: Utterance) -> Judgement | None:
        remaining = "\n".join(f"{one.id} ({one.aspect}): {one.text}" for one in ask.view.remaining)
        prompt = self._prompts.judge_utterance(
            story=ask.view.scenario.story,
            history=history_text(ask.view.history),
            remaining=remaining or "(none)",
            utterance=ask.text,
        )
        found = await self._ask(prompt, UTTERANCE, ("kind",))
        said = "" if found is None else found["kind"].strip().lower()
        kind = next((one for one in KINDS if one == said), None)
        if found is None or kind is None:
            return None
        preference = found.get("preference")
        return Judgement(kind, preference if isinstance(preference, str) else "")

    async def _speak(self, ask: Speak) -> Said | None:
        if ask.kind == "miss":
            return Said(self._prompts.say_miss())
        if ask.kind == "vague":
            return Said(self._prompts.say_vague())
        told = {"history": history_text(ask.view.history), "utterance": ask.text}
        if ask.preference is None:
            prompt = self._prompts.reply_chat(**told)
        else:
            template = self._prompts.reply_hit if ask.kind == "hit" else self._prompts.reply_proactive
            prompt = template(
                **told,
                aspect=ask.preference.aspect.replace("_", " "),
                preference=ask.preference.text,
                statement=ask.preference.statement,
            )
        found = await self._ask(prompt, RESPONSE, ("response",))
        return Said(found["response"].strip()) if found is not None and found["response"].strip() else None


def _make(model: suite.Model | None, prompts: suite.Prompts, _settings: Mapping[str, str]) -> ModelUser:
    assert model is not None  # ChosenUser.make has seen to it
    return ModelUser(model, prompts)


KIND = UserKind(
    name="llm", title="A user played by the model in the role `user`", version=1, make=_make, needs_model=True
)
