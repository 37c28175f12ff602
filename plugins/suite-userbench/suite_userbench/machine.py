"""The episode as a state machine without input or output.

`Episode.step(action)` is a generator: it yields questions to the simulated user, is sent the answers, and
returns the event. `driving` has the synchronous and the asynchronous loop around it; there is no other
copy of these rules. Source: arXiv 2507.22034 section 3 and the released code at b05d86b, whose defects are
decided in docs/userbench.md.
"""

import hashlib
import json
import random
import re
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import suite
from suite_userbench.events import Choice, Event, Kind
from suite_userbench.rules_of_play import Rules
from suite_userbench.scenario import Aspect, Preference, Scenario
from suite_userbench.users.protocol import (
    Answer,
    Ask,
    Judgement,
    Line,
    Said,
    Search,
    Speak,
    Utterance,
    Verdict,
)
from suite_userbench.wording import FEEDBACK as SAY

Turn = Generator[Ask, Answer | None, Event]
_ID = re.compile(r"[A-Z]\d+")
_MARKS = " \t\r\n\xa0*_`\"'()."
_RELEASED_ID = re.compile(r"[ACFHR]\d+")
_TAGGED = re.compile(r"\[(search|action|answer)\]\s*(.*)", re.DOTALL)
_FINISH = re.compile(r"\[finish\]", re.IGNORECASE)
_NAMES = {"rental car": "rental_car", "car rental": "rental_car"}


def episode_random(seed: int, scenario: str) -> random.Random:
    """The randomness of an episode, from (seed, scenario id): never from what ran before."""
    digest = hashlib.sha256(f"{seed}\x1f{scenario}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def parse(action: str) -> tuple[Choice, str]:
    """(choice, content) of an action string "[choice] content"; choice "" if it is none."""
    text = action.strip()
    if match := _TAGGED.match(text):
        return match[1], match[2].strip()  # type: ignore[return-value]
    if _FINISH.match(text):
        return "finish", ""
    return "", text


class Episode:
    """One episode. Public: `feedback`, `steps`, `terminated`, `truncated`. The rest is privileged."""

    def __init__(self, scenario: Scenario, rules: Rules, rng: random.Random) -> None:
        self.scenario = scenario
        self.rules = rules
        self.rng = rng
        self.options = {one.name: self._deal(one) for one in scenario.aspects}
        self.history: list[Line] = []  # as the released code has it: without opening, answers and feedback
        self.events: list[Event] = []
        self.steps = 0
        self.total_reward = 0.0
        self.last_reward = 0.0
        self.feedback = scenario.request
        self.terminated = False
        self.truncated = False
        self.elicited: list[Preference] = []
        self._remaining = list(scenario.preferences)
        self._searches = 0
        self._off_target = 0
        self._searched: set[str] = set()
        self._answered: set[str] = set()
        self._best_left = {one.best for one in scenario.aspects}
        self._correct_left = {name for one in scenario.aspects for name in one.correct}

    def _deal(self, aspect: Aspect) -> tuple[str, ...]:
        """The ids of the options on offer, in the order shown."""
        correct, wrong, noise = list(aspect.correct), list(aspect.wrong), list(aspect.noise)
        for kind in (correct, wrong, noise):
            self.rng.shuffle(kind)
        wrong = [name for name in wrong if name in aspect.options][: self.rules.wrong]
        noise = [name for name in noise if name in aspect.options][: self.rules.noise]
        dealt = [*correct, *wrong, *noise]
        self.rng.shuffle(dealt)
        return tuple(dealt)

    @property
    def remaining(self) -> list[Preference]:
        """Preferences not yet brought out, in order."""
        return self._remaining

    @property
    def over(self) -> bool:
        """Whether no further step may be taken."""
        return self.terminated or self.truncated

    def step(self, action: str, dropped: int = 0, problem: str = "") -> Turn:
        """One turn of the candidate. Raises ConfigError if the episode is over.

        action: "[search] …", "[action] …", "[answer] …" or "[finish]"; anything else is a format error.
        dropped: how many further tool calls of the same turn were ignored. problem: why there is no
        readable action, where the caller knows ("empty", "bad-arguments" …).
        """
        if self.over:
            raise suite.ConfigError("this episode is over", fix="reset the environment before another step")
        choice, content = parse(action)
        if choice == "search":
            event = yield from self._search(content)
        elif choice == "action":
            event = yield from self._action(content)
        elif choice == "answer":
            event = self._answer(content)
        elif choice == "finish":
            event = self._event("finish", choice, content, feedback=SAY["finish"])
            self.terminated = True
        else:
            event = self._event("format_error", choice, content, feedback=SAY["format"], cause=problem)
        return self._close(event, dropped)

    def _close(self, event: Event, dropped: int) -> Event:
        rules = self.rules
        raw = max(0.0, event.reward + sum(one.reward for one in event.more))
        reward = raw * rules.reward_scale - rules.step_penalty
        if rules.normalize_rewards:
            reward = min(max(reward, 0.0), 1.0)
        event = _changed(event, reward=round(reward, 9), dropped=dropped)
        self.steps += 1
        self.last_reward = event.reward
        self.total_reward += event.reward
        self.events.append(event)
        if not self._best_left or (
            rules.mode == "single"
            and not rules.released
            and len(self._answered) == len(self.scenario.aspects)
        ):
            self.terminated = True
        self.truncated = self.steps >= rules.max_steps
        return event

    def _event(
        self, kind: Kind, choice: Choice, content: str, *, feedback: str, shown: str = "", **more: Any
    ) -> Event:
        """An event. feedback: as logged; shown: as told to the candidate, where that is longer."""
        self.feedback = shown or feedback
        return Event(self.steps + 1, kind, choice, content, feedback=feedback, **more)

    # search

    def _search(self, content: str) -> Turn:
        self.history.append(Line("agent", content))
        self._searches += 1
        every = self.rules.outage_every
        if every and self._searches % every == 0:
            return self._outage(content, "outage")
        verdict = yield Search(self, content)
        if not isinstance(verdict, Verdict):
            return self._outage(content, "user-failed")
        if verdict.matches is None:
            return self._no_results(content, SAY["search_unclear"])
        if not verdict.matches:
            return self._no_results(content, SAY["search_wrong"])
        name = verdict.aspect.strip().lower()
        aspect = self.scenario.aspect(_NAMES.get(name, name))
        if aspect is None:
            return self._outage(content, "user-failed")
        if aspect.name in self._searched:
            feedback = SAY["search_repeat"].format(aspect=aspect.name)
            self.history.append(Line("database", feedback))
            return self._event("search_repeat", "search", content, feedback=feedback, aspect=aspect.name)
        self._searched.add(aspect.name)
        head = SAY["search_valid"].format(aspect=aspect.name, count=len(self.options[aspect.name]))
        self.history.append(Line("database", head))
        return self._event(
            "search_valid",
            "search",
            content,
            feedback=head,
            shown=f"{head}\n{aspect.legend}\n{self._listing(aspect)}",
            aspect=aspect.name,
            reward=self.rules.search_reward,
        )

    def _listing(self, aspect: Aspect) -> str:
        lines = (_option_line(aspect.options[name]) for name in self.options[aspect.name])
        return "\n".join(lines)

    def _outage(self, content: str, cause: str) -> Event:
        self.history.append(Line("database", SAY["search_outage"]))
        return self._event("search_outage", "search", content, feedback=SAY["search_outage"], cause=cause)

    def _no_results(self, content: str, feedback: str) -> Event:
        self.history.append(Line("database", feedback))
        return self._event("search_invalid", "search", content, feedback=feedback)

    # action

    def _action(self, content: str) -> Turn:
        judgement = yield Utterance(self, content)
        cause = ""
        wanted: Preference | None = None
        if not isinstance(judgement, Judgement):
            judgement, cause = Judgement("chat"), "user-failed"
        elif judgement.kind == "hit":
            name = judgement.preference.strip()
            wanted = next((one for one in self._remaining if one.id == name), None)
            if wanted is None:
                judgement, cause = Judgement("chat"), "user-failed"
        self.history.append(Line("agent", content, f"judged: {judgement.kind}"))
        if wanted is not None:
            return (yield from self._reveal("action_hit", content, wanted))
        threshold = self.rules.proactive_after - (0 if self.rules.released else 1)
        if self.rules.proactive_after and self._off_target >= threshold and self._remaining:
            return (yield from self._release(content, cause))
        self._off_target += 1
        said = yield Speak(self, judgement.kind, content)
        if not isinstance(said, Said):
            cause = "user-failed"
        text = self._hear(said)
        kinds: Mapping[str, Kind] = {"miss": "action_miss", "vague": "action_vague"}
        kind = kinds.get(judgement.kind, "action_chat")
        return self._event(kind, "action", content, feedback=text, cause=cause)

    def _release(self, content: str, cause: str) -> Turn:
        """The user volunteers a preference, for nothing was asked for so long."""
        if self.rules.released:  # the released code loses it: counted, never said, and its line stands twice
            self._off_target = 0
            self.history.append(Line("agent", content, "no answer"))
            text = self._hear(None)
            return self._event("proactive", "action", content, feedback=text, cause="released-async")
        wanted = self.rng.choice(self._remaining)
        return (yield from self._reveal("proactive", content, wanted, cause))

    def _reveal(self, kind: Kind, content: str, wanted: Preference, cause: str = "") -> Turn:
        said = yield Speak(self, "hit" if kind == "action_hit" else "proactive", content, wanted)
        text = self._hear(said)
        if not isinstance(said, Said) and self.rules.released:  # counted before the user speaks
            self._off_target = 0
            return self._event(kind, "action", content, feedback=text, cause="user-failed")
        if not isinstance(said, Said):  # nothing was said, so nothing was brought out
            self._off_target += 1
            return self._event("action_chat", "action", content, feedback=text, cause="user-failed")
        self._off_target = 0
        self._remaining.remove(wanted)
        self.elicited.append(wanted)
        return self._event(
            kind,
            "action",
            content,
            feedback=text,
            aspect=wanted.aspect,
            preference=wanted.id,
            elicited=True,
            cause=cause,
            reward=self.rules.preference_reward if kind == "action_hit" else 0.0,
        )

    def _hear(self, said: Answer | None) -> str:
        text = said.text if isinstance(said, Said) else SAY["apology"]
        self.history.append(Line("user", text))
        return text

    # answer

    def _answer(self, content: str) -> Event:
        ids = [part.strip() for part in content.split(",")]
        if self.rules.released:
            return self._answers(content, ids)
        ids = [name.strip(_MARKS) for name in ids]  # Markdown around an id does not hide it
        if any(not _ID.fullmatch(name) for name in ids):
            return self._reply_to_answer("format_error", content, SAY["answer_format"], cause="bad-id")
        if len(ids) > 1:
            return self._reply_to_answer(
                "answer_refused", content, SAY["answer_several"], cause="several-ids"
            )
        if self.scenario.lettered(ids[0][0]) is None:
            return self._reply_to_answer("answer_refused", content, SAY["answer_foreign"], cause="foreign")
        return self._one_answer(content, ids[0])

    def _answers(self, content: str, ids: Sequence[str]) -> Event:
        """As the released asynchronous code takes them: one after the other, until one cannot be taken.

        What was taken before such an id stays taken, and its reward is lost.
        """
        taken: list[Event] = []
        for name in ids:
            if not _RELEASED_ID.fullmatch(name):
                last = self._reply_to_answer("format_error", content, SAY["answer_format"], cause="bad-id")
            else:
                last = self._one_answer(content, name)
            if last.kind in ("format_error", "answer_refused"):
                lost = [_changed(one, kind="answer_refused", cause="lost", reward=0.0) for one in taken]
                return _changed(last, more=tuple(lost))
            taken.append(last)
        kinds = [one.kind for one in taken]
        best = next((kind for kind in ("answer_best", "answer_correct") if kind in kinds), "answer_wrong")
        mixed = "_and_wrong" if best != "answer_wrong" and "answer_wrong" in kinds else ""
        self.feedback = SAY[best + mixed]
        return _changed(taken[-1], more=tuple(taken[:-1]), feedback=self.feedback)

    def _one_answer(self, content: str, name: str) -> Event:
        aspect = self.scenario.lettered(name[0])
        known = {"aspect": aspect.name if aspect else "", "option": name}
        if self.rules.mode == "single" and name[0] in self._answered:
            feedback = SAY["answer_again"].format(aspect=known["aspect"] or name[0])
            return self._reply_to_answer("answer_refused", content, feedback, cause="answered-twice", **known)
        self._answered.add(name[0])
        if self.rules.mode == "single":  # the matter is settled: the user tells no more about it
            self._remaining = [one for one in self._remaining if one.aspect != known["aspect"]]
        if name in self._best_left:
            self._best_left.remove(name)
            self._correct_left.discard(name)
            return self._reply_to_answer(
                "answer_best", content, SAY["answer_best"], reward=self.rules.best_reward, **known
            )
        if name in self._correct_left:
            self._correct_left.remove(name)
            return self._reply_to_answer(
                "answer_correct", content, SAY["answer_correct"], reward=self.rules.correct_reward, **known
            )
        if aspect is None:
            cause = "foreign"
        else:
            cause = (
                "repeated" if name in aspect.correct else "" if name in aspect.options else "no-such-option"
            )
        return self._reply_to_answer(
            "answer_wrong",
            content,
            SAY["answer_wrong"],
            cause=cause,
            reward=-self.rules.wrong_penalty,  # the turn's sum is floored at 0
            **known,
        )

    def _reply_to_answer(self, kind: Kind, content: str, feedback: str, **more: Any) -> Event:
        return self._event(kind, "answer", content, feedback=feedback, **more)

    # leaving early

    def abandon(self, content: str, cause: str) -> Event:
        """End the episode because the candidate can't go on (its window overflowed, it broke the harness)."""
        event = self._event("finish", "", content, feedback="", cause=cause)
        self.terminated = True
        return self._close(event, 0)


def _option_line(option: Mapping[str, Any]) -> str:
    return json.dumps(option, ensure_ascii=False, separators=(", ", ": "))


def _changed(event: Event, **changes: Any) -> Event:
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return Event(**{**fields, **changes})
