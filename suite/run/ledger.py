"""What a run may spend: every try of a call is reserved at its most before it is sent, then settled.

A try that does not fit waits until others are settled; where none is under way, the budget is spent and the
run stops. Each try is noted in `spent.jsonl` before it is sent, so that a killed run forgets none.

The most that a try can use: a byte of the prompt counts as a token, since no tokenizer makes more of it, and
what templates and providers add is allowed for: the marks around a message, a system prompt of their own,
instructions for tools and schemas. New tokens are at most the request's limit, hidden reasoning included.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from suite.chat import Reply, Request, Usage
from suite.errors import CallFailed, CapabilityError, ConfigError, SuiteError
from suite.journal.journal_file import JournalFile
from suite.journal.lines import Lines
from suite.journal.records import SpentRecord
from suite.journal.run import Journal, Run
from suite.models.prices import FREE, PER_USD, Rates, price_wanted, rates_of, shown_usd
from suite.models.spec import ModelSpec
from suite.roles import Stage
from suite.run.role_members import Member
from suite.run.work import ModelCall

FILE = "spent.jsonl"
TOKEN = Rates(1, 1, 1)
_AMOUNT = re.compile(
    r"\s*(?P<dollar>\$\s*)?(?P<number>\d{1,15}(\.\d{1,12})?|\.\d{1,12})\s*(?P<times>[kKmM]?)\s*(?P<unit>usd|tokens?|)\s*",
    re.IGNORECASE | re.ASCII,
)
_TIMES = {"": 1, "k": 1000, "m": 1_000_000}
_HOW = "write --budget 20usd, 2Mtokens or 500ktokens ($20 only in quotes: a shell makes another text of it)"
_UNCOUNTED = frozenset({"replay", "lexical"})  # no model reads or writes
A_PROMPT, A_MESSAGE, A_TEXT = 256, 32, 32  # tokens that a template adds
A_FORM = 1024  # tokens that a provider adds where tools or a schema are given
FORM_TIMES = 2  # how often longer their rendering may be than their JSON
# of a request that was never sent, or that was turned away before it was read
NOT_BILLED = frozenset({"connect", "tls", "unsupported", "not-recorded"}) | {
    f"status-{status}" for status in (401, 402, 403, 404, 405, 407, 429)
}
_encode = msgspec.json.Encoder().encode


class Budget(NamedTuple):
    """The most that a run may spend. amount: tokens, or millionths of a millionth of a dollar."""

    amount: int
    unit: Literal["usd", "tokens"]
    part: str = ""  # of what it is a part, in words

    def shown(self, amount: int) -> str:
        """An amount of the same unit in words."""
        return shown_usd(amount / PER_USD) if self.unit == "usd" else f"{amount:,} tokens"


def parse_budget(text: str) -> Budget:
    """`20usd`, `$20`, `2Mtokens`, `500k tokens`. Raises ConfigError."""
    found = _AMOUNT.fullmatch(text)
    unit = (found["unit"] or ("usd" if found["dollar"] else "")).lower() if found else ""
    if found is None or not unit or (found["dollar"] and found["unit"]):
        raise ConfigError(f"--budget {text!r} is not an amount in usd or tokens", fix=_HOW)
    tokens = unit.startswith("token")
    amount = round(float(found["number"]) * _TIMES[found["times"].lower()] * (1 if tokens else PER_USD))
    if amount < 1:
        raise ConfigError(f"--budget {text!r} allows no call", fix=_HOW)
    return Budget(amount, "tokens" if tokens else "usd")


class BudgetSpent(SuiteError):
    """The next call could go beyond the budget: a run ends here with what it has, pending and resumable."""


class Reservation(NamedTuple):
    """What is set aside for one try of a call."""

    call: ModelCall
    record: SpentRecord
    amount: int


class Ledger:
    """What the members of a run spend of its budget. rates: member -> what its tokens count."""

    def __init__(self, budget: Budget, rates: Mapping[str, Rates]) -> None:
        self.budget = budget
        self.spent = self.reserved = self.untold = 0  # untold: of what is spent, tries counted at their most
        self._beyond = ""  # the first try that took more than its most, in words
        self._rates = rates
        self._folders: dict[Stage, Path] = {}
        self._files: dict[Stage, JournalFile] = {}
        self._number = 0
        self._wanted: list[int] = []  # by those who wait
        self._released = asyncio.Event()
        self._refused: Callable[[], BaseException] | None = None

    def open(self, folders: Mapping[Stage, Path]) -> None:
        """Count what was spent before. folders: where calls of each stage stand; tries are noted there."""
        self._folders = dict(folders)
        for folder in self._folders.values():
            tries = _tries(folder)
            self._number = max([self._number, *tries])
            for one in tries.values():
                cost = self.cost(one.role, Usage(one.prompt, one.completion, one.cached))
                self.spent += cost
                self.untold += 0 if one.told else cost
            self._read_calls(Journal(folder), {one.call for one in tries.values()})

    def _read_calls(self, journal: Journal, noted: set[str]) -> None:
        """Calls made before there was a budget."""
        for call in journal.calls:
            rates = self._rates.get(call.role, FREE)
            if call.cached or call.id in noted or rates == FREE:
                continue
            usage = used_tokens(Request("chat"), call.reply) if call.kind in ("chat", "complete") else None
            most = call.reply.usage
            if usage is None:  # only then its texts are read
                request = journal.blocks.request(call)
                usage, most = used_tokens(request, call.reply), most_tokens(request) or most
            cost = rates.cost(usage or most)
            self.spent += cost
            self.untold += 0 if usage else cost

    def _note(self, stage: Stage, record: SpentRecord) -> None:
        if stage not in self._files:
            self._files[stage] = JournalFile(self._folders[stage] / FILE)
        self._files[stage].append(record)

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    async def reserve(self, call: ModelCall) -> Reservation | None:
        """Set the most aside that a try can cost, once there is room for it; None where it costs nothing.

        Raises BudgetSpent, ConfigError for a call without a limit on new tokens.
        """
        rates = self._rates.get(call.member, FREE)
        if rates == FREE:
            return None
        spec = call.seat.member.spec
        most = most_tokens(call.request, spec)
        if most is None:
            raise no_limit(call.member, spec.text)
        amount = rates.cost(most)
        while amount > self._left:
            if not (self.reserved or any(one <= self._left for one in self._wanted)):
                raise self._over(min([amount, *self._wanted]))
            self._wanted.append(amount)
            try:
                await self._released.wait()
            except asyncio.CancelledError:
                self._look_again()
                raise
            finally:
                self._wanted.remove(amount)
            if self._refused is not None:
                raise self._refused()
        self.reserved += amount
        self._number += 1
        record = SpentRecord(self._number, call.id, call.member, most.prompt, most.completion)
        self._note(call.work.stage, record)
        return Reservation(call, record, amount)

    def settle(self, held: Reservation, heard: Reply | CallFailed | None) -> None:
        """A try is over: it cost what it tells, or else its most."""
        call, record = held.call, held.record
        usage = used_tokens(call.request, heard)
        if usage is None:
            self.untold += held.amount
            self._release(held.amount, held.amount)
            return
        if not self._beyond and (usage.prompt > record.prompt or usage.completion > record.completion):
            told, most = (f"{one.prompt:,} in, {one.completion:,} out" for one in (usage, record))
            self._beyond = f"; {call.member} reports tokens beyond its bound: {told} for at most {most}"
        used = {"prompt": usage.prompt, "completion": usage.completion, "cached": usage.cached}
        self._note(call.work.stage, msgspec.structs.replace(record, **used, told=True))
        self._release(held.amount, self._rates[call.member].cost(usage))

    @property
    def _left(self) -> int:
        return self.budget.amount - self.spent - self.reserved

    def _release(self, amount: int, spent: int) -> None:
        self.reserved -= amount
        self.spent += spent
        self._look_again()

    def _look_again(self) -> None:
        """Everybody who waits does, in order."""
        self._released.set()
        self._released = asyncio.Event()

    def refuse_all(self, error: Callable[[], BaseException]) -> None:
        """Turn everybody who waits away, from now on."""
        self._refused = error
        self._look_again()

    def _over(self, amount: int) -> BudgetSpent:
        shown = self.budget.shown
        bound = f" ({shown(self.untold)} of it an upper bound: no usage was reported)"
        spent = f"{shown(self.spent)} spent{bound if self.untold else ''}"
        left = f"{shown(self.reserved)} reserved, {shown(max(self._left, 0))} left"
        budget, next_call = shown(self.budget.amount) + self.budget.part, shown(amount) + self._beyond
        return BudgetSpent.of("run.ledger.reached", budget=budget, spent=spent, left=left, next=next_call)

    def cost(self, member: str, usage: Usage) -> int:
        """What tokens of a member count, in the budget's unit."""
        return self._rates.get(member, FREE).cost(usage)

    def counts(self, member: str) -> bool:
        """Whether anything of a member counts."""
        return self._rates.get(member, FREE) != FREE

    def line(self) -> str:
        """How it stands, for the person who waits."""
        return f"{self.budget.shown(self.spent)} of {self.budget.shown(self.budget.amount)}{self._beyond}"


def _tries(folder: Path) -> dict[int, SpentRecord]:
    """The tries that were noted in a folder, by number: each as it was noted last."""
    return {one.number: one for one in Lines(folder / FILE, SpentRecord)}


def untold_tokens(run: Run) -> dict[str, Usage]:
    """Member -> the most that those tries of a run may have used which told no tokens."""
    found: dict[str, Usage] = {}
    for journal in run.journals():
        for one in _tries(journal.folder).values():
            if not one.told:
                was = found.get(one.role, Usage())
                found[one.role] = Usage(was.prompt + one.prompt, was.completion + one.completion)
    return found


def no_limit(member: str, spec: str) -> CapabilityError:
    """The error for a call that no budget can bound."""
    role, _, _ = member.partition("/")
    option = "-o max_tokens=N" if role == "candidate" else f"-o {role}.max_tokens=N"
    return CapabilityError.of("run.ledger.no-limit", spec=spec, member=member, option=option)


def ledger_of(text: str | None, members: Iterable[Member], shares: int = 1) -> Ledger | None:
    """The ledger of a run with this budget, if it has one; of one of so many shards, with its share of it.

    Raises ConfigError for what is no amount, and for a model without a price where it is one in usd.
    """
    if text is None:
        return None
    budget = parse_budget(text)
    if budget.amount < shares:
        raise ConfigError(f"--budget {text!r} allows no call in {shares} shards", fix=_HOW)
    part = f" (1/{shares} of --budget {text}, as of {shares} shards)" if shares > 1 else ""
    budget = budget._replace(amount=budget.amount // shares, part=part)
    found: dict[str, Rates] = {}
    lacking: dict[str, str] = {}  # model and role -> what to add
    for one in members:
        tokens = FREE if one.spec.provider in _UNCOUNTED else TOKEN
        identity = one.engine.identity()
        rates = tokens if budget.unit == "tokens" else rates_of(identity)
        if rates is None:
            lacking[f"{one.spec.text} ({one.member})"] = price_wanted(one.spec.text, identity)
        else:
            found[one.member] = rates
    if lacking:
        wanted = "; ".join(dict.fromkeys(lacking.values()))
        raise ConfigError.of("run.ledger.no-price", models=", ".join(lacking), wanted=wanted)
    return Ledger(budget, found)


def most_tokens(request: Request, spec: ModelSpec | None = None) -> Usage | None:
    """The most that one try can use; None where the request sets no limit on new tokens.

    spec: its `extra_body` is read, too; where it asks for several choices, all are counted.
    """
    options, texts = request.options, request.texts
    prompt = A_PROMPT + len(request.prompt.encode()) + len(_encode(request.messages))
    prompt += A_MESSAGE * len(request.messages)
    if request.kind in ("rate", "logprobs", "rank"):  # the first two may be sent as one request for each text
        read = prompt * (1 if request.kind == "rank" else len(texts))
        read += sum(len(text.encode()) + A_TEXT for text in texts)
        return Usage(read, len(texts) if request.kind == "logprobs" else 0)
    if options.max_tokens is None:
        return None
    for form in (request.tools, options.json_schema):
        prompt += A_FORM + FORM_TIMES * len(_encode(form)) if form else 0
    extra = spec.options.get("extra_body") if spec is not None else None
    prompt += sum(len(_encode(one)) for one in (options.template, extra) if one)
    counts = [extra.get(name) for name in ("n", "best_of")] if isinstance(extra, dict) else []
    choices = max([1, *(one for one in counts if isinstance(one, int))])
    # servers differ in whether the limit holds for hidden reasoning, too
    thought = options.thinking if isinstance(options.thinking, int) else 0
    return Usage(prompt, (options.max_tokens + thought) * choices)


def used_tokens(request: Request, heard: Reply | CallFailed | None) -> Usage | None:
    """What a try used; None where nothing tells, so that it may have been the most.

    heard: its reply, its failure, None of one that was dropped.
    """
    if isinstance(heard, CallFailed):
        alone = request.kind in ("chat", "complete")  # else other requests of the same try were answered
        return Usage() if alone and heard.kind in NOT_BILLED else None
    if heard is None or not heard.usage.prompt:
        return None
    usage = heard.usage
    if request.kind in ("rate", "logprobs"):
        details = heard.details if isinstance(heard.details, dict) else {}
        each = details.get("tokens")
        if isinstance(each, list) and not all(each):  # of some nothing is told
            return None
        return Usage(usage.prompt, max(usage.completion, len(request.texts) * (request.kind == "logprobs")))
    said = heard.text or heard.reasoning or heard.tool_calls
    return None if said and not usage.completion and request.kind != "rank" else usage
