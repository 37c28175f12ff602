"""How many calls and tokens a plan will take, from a few groups of each cell and stand-in answers.

A stand-in answers every request with filler text; what is asked is counted at 4 characters a token. Tokens
of answers are known only as an upper bound (max_tokens). Nothing is sent anywhere. What it costs is a range:
from these prompts and no answer to the most that each request can use.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

from suite.chat import Message, Reply, Request, Usage, call_id, request_sha256
from suite.errors import ConfigError
from suite.models.behaviours import estimated_tokens
from suite.roles import Model, Models, Ratings
from suite.run.ledger import Ledger, most_tokens, no_limit
from suite.run.order import CellSample
from suite.run.plan import Plan
from suite.run.role_members import Member
from suite.run.seats import changed, sampling_changes
from suite.task import Tools

GROUPS = 3
NO_TOOLS = SimpleNamespace(scoring=False)  # a task that asks for any cannot be tried
_WORDS = "This is what an answer may look like, of some length, for counting. "


@dataclass
class MemberEstimate:
    """Of one member: calls, prompt tokens, most new tokens (None where a request sets no limit), most prompt
    tokens as a budget counts them.
    """

    calls: float = 0.0
    prompt_tokens: float = 0.0
    most_new_tokens: float | None = 0.0
    most_prompt_tokens: float = 0.0


Estimates = Mapping[str, MemberEstimate]  # by member


class _StandIn(Model):
    def __init__(self, one: Member, seen: dict[tuple[str, str], Request]) -> None:
        self.member = one.member
        self.name = "stand-in"
        self.capabilities = one.engine.capabilities()
        self.chosen = one.chosen
        self._changes = sampling_changes(one.spec)
        self._seen = seen
        self.family = self.group = ""

    async def ask(self, request: Request, key: str = "") -> Reply:
        request = changed(request, self._changes)
        identity = call_id(self.family, self.group, 0, self.member, key, request_sha256(request))
        self._seen[self.member, identity] = request
        scores = tuple(-float(i) for i in range(len(request.texts)))
        return Reply(_WORDS * 4, scores=scores, ranking=tuple(enumerate(scores))[: request.options.top])

    async def rate_answers(
        self, messages: tuple[Message, ...], answers: tuple[str, ...], kind: str, key: str
    ) -> Ratings:
        from suite.scoring.answer_ratings import rate_answers

        return await rate_answers(self, messages, answers, kind, key, self)


def _tries(plan: Plan) -> Iterator[tuple[str, CellSample]]:
    """The samples of the first groups of each cell, with the name of their group."""
    begun: Counter[int] = Counter()
    asking = sum(count > 0 for count in plan.counts.samples.values())
    for group in plan.groups():
        items = [item for item in group.items if begun[item.cell] < GROUPS]
        begun.update({item.cell for item in items})
        for item in items:
            yield group.name, item
        if sum(count >= GROUPS for count in begun.values()) == asking:
            return


async def estimate(plan: Plan) -> Estimates | None:
    """Member -> what the whole plan will ask of it; None where a task cannot be tried like this."""
    seen: dict[tuple[str, str], Request] = {}  # by member and call
    models: dict[str, list[_StandIn]] = {}
    for one in plan.filled.members:
        models.setdefault(one.role, []).append(_StandIn(one, seen))
    tried: Counter[int] = Counter()  # samples of a cell
    asker: dict[tuple[str, str], int] = {}  # request -> the cell that asks it first
    try:
        for cell in plan.cells:
            await cell.task.open(plan.data[cell.id], cast("Tools", NO_TOOLS))
        for group, item in _tries(plan):
            tried[item.cell] += 1
            cell = plan.cells[item.cell]
            for member in itertools.chain.from_iterable(models.values()):
                member.family, member.group = cell.task.info.family, group
            output = await cell.task.solve(item.sample, Models(models))
            if any(one.stage != "solve" for one in plan.filled.members):
                await cell.task.score(item.sample, output, Models(models))
            asker |= dict.fromkeys(itertools.islice(seen, len(asker), None), item.cell)
    except ConfigError:  # of the parameters: the run would end so, too
        raise
    except Exception:  # a stand-in is no model: a task may not go on with it
        return None
    found: dict[str, MemberEstimate] = {one.member: MemberEstimate() for one in plan.filled.members}
    specs = {one.member: one.spec for one in plan.filled.members}
    for key, request in seen.items():
        cost, most = found[key[0]], most_tokens(request, specs[key[0]])
        cell = plan.cells[asker[key]]
        scale = plan.counts.samples[cell.id] / tried[asker[key]] * plan.request.trials
        cost.calls += scale
        cost.prompt_tokens += scale * estimated_tokens(request.text)
        if most is None or cost.most_new_tokens is None:
            cost.most_new_tokens = None
        else:
            cost.most_new_tokens += scale * most.completion
            cost.most_prompt_tokens += scale * most.prompt
    return found


def check_limits(plan: Plan, ledger: Ledger, found: Estimates | None) -> str:
    """Whether the budget lasts, in words. found: see `estimate`. Raises CapabilityError for a request that
    it cannot bound, before anything is asked.
    """
    specs = {one.member: one.spec.text for one in plan.filled.members}
    low = high = 0
    for member, one in (found or {}).items():
        if one.most_new_tokens is None and ledger.counts(member):
            raise no_limit(member, specs[member])
        low += ledger.cost(member, Usage(round(one.prompt_tokens)))
        high += ledger.cost(member, Usage(round(one.most_prompt_tokens), round(one.most_new_tokens or 0)))
    amount, shown = ledger.budget.amount, ledger.budget.shown
    if found is None:
        return f"the budget of {shown(amount)}: not known whether it lasts"
    verb = "covers" if high <= amount else "may stop" if low <= amount else "will stop"
    span = f"about {shown(low)} to {shown(high)}, without retries"
    return f"the budget of {shown(amount)} {verb} this run: {span}"
