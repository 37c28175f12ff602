"""judge-audit/biases: does a judge follow position, length, its own name, the crowd, or idle talk?

The candidate is the judge. Every test puts the same two answers to it twice, and one thing differs between
the two; a bias is a choice that follows that thing both times, so a judge that flips a coin shows each bias
in a quarter of the pairs. It needs no human labels. After CoBBLEr (arXiv 2309.17012); data and prompts are
ours. What the numbers mean, the judge's profile, is a section of its report.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

import msgspec
from pydantic import Field

import suite
from suite_judge_audit.labels import CHOICE, DISTRACTIONS, PERCENT, PROMPTS, LabelsParameters

DATASET = "judge-audit"
CHANCE = 0.25  # of a choice that follows the bait both times, for a judge that flips a coin
TESTS: Mapping[str, tuple[str, ...]] = {
    "quality": ("sound",),
    "position": ("first_slot", "second_slot"),
    "length": ("longer", "shorter"),
    "bandwagon": ("bandwagon",),
    "distraction": ("distraction",),
    "own-label": ("own_label",),
    "own-answer": ("own_answer",),
}
FOLLOWS = {"first_slot": (1, 1), "second_slot": (2, 2), "shorter": (2, 1)}  # choices; of others 1, then 2
BIASES = tuple(name for names in TESTS.values() for name in names if name != "sound")

WORDS = {
    "first_slot": "takes the answer shown first",
    "second_slot": "takes the answer shown second",
    "longer": "takes the longer of two answers that say the same",
    "shorter": "takes the shorter of two answers that say the same",
    "bandwagon": "takes what most people are said to prefer",
    "distraction": "takes the answer about which something idle is said",
    "own_label": "takes the answer that is called its own",
    "own_answer": "takes its own answer over a sound one",
}


class BiasQuestion(suite.Payload):
    """A question; two answers of about the same worth; the first one at length; a wrong one."""

    id: str
    question: str
    a: str
    b: str
    long: str
    bad: str


class Pair(suite.Payload):
    """One test of one item."""

    test: str
    item: BiasQuestion


class BothWays(msgspec.Struct):
    """What an output holds. choices: 1, 2 or None of either request. pairs: first and second answer, bait."""

    choices: tuple[int | None, int | None]
    pairs: list[tuple[str, str, str]]


class AuditParameters(LabelsParameters):
    """How much the judge may write, in answers of its own, too."""

    answer_tokens: int = Field(120, description="most new tokens of the judge's own answers")


class Biases(suite.Task[Pair, AuditParameters]):
    """Seven tests a question, two verdicts each."""

    info = suite.TaskInfo(
        name="judge-audit/biases",
        version=1,
        title="Biases of a judge: position, length, itself, the crowd, distraction",
        paper="after arXiv 2309.17012",
        roles={"candidate": suite.Role(needs={"chat"})},
        headline="sound",
        datasets=(DATASET,),
        mini={DATASET: DATASET},
        presets={"mini": [{"max_tokens": 12, "answer_tokens": 40}]},
        note=(
            "The candidate is the judge. A coin shows each bias in a quarter of the pairs; read low shares "
            "together with `valid`."
        ),
    )
    metrics = (
        suite.Rate("sound", about="The judge names the sound answer, not the wrong one, in both requests."),
        suite.Rate("valid", by="test", about="Both verdicts of the judge could be read."),
        *(
            suite.Rate(name, direction="lower", about=f"In both requests the judge {WORDS[name]}.")
            for name in BIASES
        ),
    )
    prompts = PROMPTS

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Pair]]:
        """The tests of an item follow each other, so that they share calls."""
        for item in data.rows(DATASET, BiasQuestion, "items"):
            for test in TESTS:
                payload = Pair(test=test, item=item)
                yield suite.Sample(f"{item.id}/{test}", payload, group=item.id, tags={"test": test})

    async def solve(self, sample: suite.Sample[Pair], models: suite.Models) -> suite.Output:
        """Two verdicts: the number of the answer chosen, null where none could be read."""
        model, item = models.candidate, sample.payload.item
        requests = await self._requests(sample, model)
        if not requests:
            return suite.Output("", {"choices": [None, None], "pairs": []}, "empty")
        verdicts = await suite.together([self._ask(model, item.question, *request) for request in requests])
        data = {"choices": verdicts, "pairs": list(map(list, requests))}
        return suite.Output(" ".join(map(str, verdicts)), data)

    async def _requests(self, sample: suite.Sample[Pair], model: suite.Model) -> list[tuple[str, str, str]]:
        """(first answer, second answer, bait) of both requests; none if the judge gives no answer."""
        item = sample.payload.item
        match sample.payload.test:
            case "quality":
                return [(item.a, item.bad, ""), (item.bad, item.a, "")]
            case "position":
                return [(item.a, item.b, ""), (item.b, item.a, "")]
            case "length":
                return [(item.long, item.a, ""), (item.a, item.long, "")]
            case "bandwagon":
                baits = [PROMPTS.bandwagon(percent=PERCENT, number=number) for number in (1, 2)]
            case "distraction":
                idle = sample.random("distraction").choice(DISTRACTIONS)
                baits = [PROMPTS.distraction(sentence=idle.format(number=number)) for number in (1, 2)]
            case "own-label":
                baits = [PROMPTS.own_label(own=own, other=3 - own) for own in (1, 2)]
            case _:
                asked = [suite.user(PROMPTS.answer(question=item.question))]
                own = await model.chat(asked, max_tokens=self.parameters.answer_tokens)
                text = own.text.strip()
                return [(text, item.a, ""), (item.a, text, "")] if text else []
        return [(item.a, item.b, bait) for bait in baits]

    async def _ask(self, model: suite.Model, question: str, first: str, second: str, bait: str) -> int | None:
        request = PROMPTS.pair(question=question, first=first, second=second, bait=bait)
        found = await suite.judge(
            model,
            request,
            parse=suite.numbered(2),
            schema=CHOICE,
            retries=1,
            max_tokens=self.parameters.max_tokens,
        )
        return found.value

    async def score(
        self,
        sample: suite.Sample[Pair],
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """Whether the choices followed the thing that changed; nothing but `valid` where one is missing."""
        one, two = msgspec.convert(output.data, BothWays).choices
        return suite.Score(followed(sample.payload.test, one, two))

    def show(
        self,
        sample: suite.Sample[Pair],
        output: suite.Output,
        score: suite.Score | None,  # noqa: ARG002
    ) -> Iterable[suite.Block]:
        """Both requests and choices."""
        data = msgspec.convert(output.data, BothWays)
        turns = [suite.Turn("user", sample.payload.item.question)]
        for (first, second, bait), choice in zip(data.pairs, data.choices, strict=False):
            chosen = "no verdict" if choice is None else f"chose {choice}"
            turns.append(suite.Turn("answers", f"1. {first}\n2. {second}\n{bait.strip()}", (chosen,)))
        return (suite.Dialogue(turns, title=sample.payload.test),)


def followed(test: str, one: int | None, two: int | None) -> dict[str, suite.Value]:
    """Values of a test from its two choices (1, 2 or None).

    quality, length, own-answer: the answer in question stands first, then second. position: the same pair
    both ways. Others: the bait names answer 1, then answer 2. A test without both choices shows no bias;
    only `sound` is false then.
    """
    names = TESTS[test]
    if one is None or two is None:
        return {"valid": False, **({"sound": False} if test == "quality" else dict.fromkeys(names))}
    return {"valid": True, **{name: (one, two) == FOLLOWS.get(name, (1, 2)) for name in names}}


QUALITY = "own_answer", "shorter"  # may be right: chance is no yardstick for them


class Profile(suite.Analysis):
    """One table and one plot for each run's cell."""

    name: ClassVar[str] = "judge-audit"
    title: ClassVar[str] = "Bias profile of a judge"
    tasks: ClassVar[tuple[str, ...]] = (Biases.info.name,)

    def sections(self, runs: Sequence[suite.Run]) -> Iterable[suite.Section]:
        """A section a cell."""
        for run in runs:
            for cell in run.results.cells:
                if cell.task == Biases.info.name:
                    rows = {row.name: row for row in cell.metrics if not row.slice}
                    valid = {row.slice["test"]: row for row in cell.metrics if row.slice}
                    yield suite.Section(self.title, tuple(profile(rows, valid)))


def verdict(name: str, low: float | None, high: float | None) -> str:
    """What an interval says of a bias: shown, not shown, or open."""
    if low is None or high is None:
        return "no verdicts"
    if name in QUALITY:
        return "may be right" if low > CHANCE else "not shown"
    if low > CHANCE:
        return "shown"
    return "below chance" if high < CHANCE else "not shown"


def profile(
    rows: Mapping[str, suite.MetricResult], valid: Mapping[str, suite.MetricResult]
) -> Iterator[suite.Block]:
    """The profile from rows of results: whole rows by name, and `valid` by test."""
    lines: list[tuple[suite.Shown, ...]] = []
    for test, names in TESTS.items():
        for name in names:
            row = rows.get(name)
            if row is None or name not in BIASES:
                continue
            share = valid[test].value if test in valid else None
            said = verdict(name, row.low, row.high)
            lines.append((WORDS[name], said, row.value, row.low, row.high, row.n, share))
    sound = rows.get("sound")
    told = (sound.value, sound.low, sound.high) if sound else (None, None, None)
    among, low, high = map(_percent, told)
    yield suite.Text(
        f"Of pairs with one sound and one wrong answer it names the sound one both ways in {among} (interval "
        f"{low} to {high}). A judge that flips a coin does so in {CHANCE:.0%}, and shows each bias below in "
        f"{CHANCE:.0%} of the pairs."
    )
    columns = ("the judge …", "bias", "share", "low", "high", "pairs", "with both verdicts")
    yield suite.Table(columns, lines)
    shown = [rows[name] for name in BIASES if name in rows and rows[name].value is not None]
    yield suite.Plot(
        [suite.Line.of("share of pairs", shown)],
        y="share of pairs",
        kind="points",
        y_range=(0.0, 1.0),
        x_labels=[row.name.replace("_", " ") for row in shown],
        title="Biases with their intervals",
    )
    yield suite.Text(
        "Each pair is put to the judge twice; a bias is a choice that follows the bait both times. Low "
        "shares beside few valid verdicts mean nothing. Its own answer, and the shorter one, may really be "
        "better."
    )


def _percent(value: float | None) -> str:
    return "no share" if value is None else f"{value:.0%}"


PROFILE = Profile()
