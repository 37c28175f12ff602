"""How many calls and tokens a plan will take, from a few groups solved with answers that stand in.

A stand-in answers every request with filler text; what is asked is counted at 4 characters a token. Tokens
of answers are known only as an upper bound (max_tokens). Nothing is sent anywhere.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from suite.chat import Message, Reply, Request, call_id, request_sha256
from suite.models.behaviours import estimated_tokens
from suite.roles import Model, Models, Ratings
from suite.run.plan import Plan

GROUPS = 3
_WORDS = "This is what an answer may look like, of some length, for counting. "


@dataclass
class MemberEstimate:
    """Of one member: calls, prompt tokens, most new tokens (None where a request sets no limit)."""

    calls: float = 0.0
    prompt_tokens: float = 0.0
    most_new_tokens: float | None = 0.0


class _StandIn(Model):
    def __init__(
        self, member: str, capabilities: frozenset[str], chosen: frozenset[str], seen: dict[str, Request]
    ) -> None:
        self.member = member
        self.name = "stand-in"
        self.capabilities = capabilities
        self.chosen = chosen
        self._seen = seen
        self.family = self.group = ""

    async def ask(self, request: Request, key: str = "") -> Reply:
        identity = call_id(self.family, self.group, 0, self.member, key, request_sha256(request))
        self._seen[f"{self.member}\x1f{identity}"] = request
        texts = len(request.texts)
        return Reply(
            _WORDS * 4,
            scores=tuple(-float(i) for i in range(texts)),
            ranking=tuple((i, -float(i)) for i in range(texts))[: request.options.top],
        )

    async def rate_answers(
        self, messages: tuple[Message, ...], answers: tuple[str, ...], kind: str, key: str
    ) -> Ratings:
        from suite.scoring.answer_ratings import rate_answers

        return await rate_answers(self, messages, answers, kind, key, self)


async def estimate(plan: Plan) -> Mapping[str, MemberEstimate] | None:
    """Member -> what the whole plan will ask of it; None where a task cannot be tried like this."""
    seen: dict[str, Request] = {}
    models: dict[str, list[_StandIn]] = {}
    for one in plan.filled.members:
        stand_in = _StandIn(one.member, one.engine.capabilities(), one.chosen, seen)
        models.setdefault(one.role, []).append(stand_in)
    tried = 0
    try:
        for cell in plan.cells:
            await cell.task.open(plan.data[cell.id], _NoTools())
        for group in itertools.islice(plan.groups(), GROUPS):
            tried += 1
            for item in group.items:
                cell = plan.cells[item.cell]
                for members in models.values():
                    for member in members:
                        member.family, member.group = cell.plan.task.partition("/")[0], group.name
                output = await cell.task.solve(item.sample, Models(models))
                if any(one.stage != "solve" for one in plan.filled.members):
                    await cell.task.score(item.sample, output, Models(models))
    except Exception:  # a stand-in is no model: a task may not go on with it
        return None
    scale = plan.counts.groups_taken / max(tried, 1) * plan.request.trials
    found: dict[str, MemberEstimate] = {one.member: MemberEstimate() for one in plan.filled.members}
    for key, request in seen.items():
        cost = found[key.partition("\x1f")[0]]
        cost.calls += scale
        cost.prompt_tokens += scale * estimated_tokens(request.text)
        if request.kind in ("chat", "complete"):
            most = request.options.max_tokens
            known = most is not None and cost.most_new_tokens is not None
            cost.most_new_tokens = cost.most_new_tokens + scale * most if known else None  # type: ignore[operator]
    return found


class _NoTools:
    """Tools of a process that neither scores nor keeps anything."""

    scoring = False

    def batch(self, *_: object, **__: object) -> NoReturn:
        raise RuntimeError("no batches while estimating")

    async def sandbox(self, python: str = "") -> NoReturn:  # noqa: ARG002
        raise RuntimeError("no sandbox while estimating")

    def folder(self, name: str) -> NoReturn:
        raise RuntimeError(f"no folder {name!r} while estimating")
