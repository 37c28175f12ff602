"""prefeval/classification: which of four options does the model pick for its user?

Needs no judge. A letter that cannot be read is the candidate's failure: wrong, and counted.
"""

from collections.abc import Iterable, Mapping

import suite
from suite_prefeval import conversation, letters, profiles, reading, views, wording
from suite_prefeval.parameters import ClassificationParameters
from suite_prefeval.rows import Item
from suite_prefeval.solving import CRITIQUE_TOKENS, DATASET, GONE, Preferences, Stopped

PAPER_TOKENS = 5
PLAIN_TOKENS = 300
PAPER_TURNS = (0, 3, 8, 28, 48, 68)
FORMS = ("explicit", "implicit-choice", "implicit-persona")


def _content(sample: suite.Sample[Item]) -> tuple[str, ...]:
    """What no shot shares: the topic comes first, since pairs of one topic are alike."""
    return sample.tags["topic"], sample.payload.question, sample.payload.preference


class Classification(Preferences[ClassificationParameters]):
    """Four options, one of which respects the preference."""

    info = suite.TaskInfo(
        name="prefeval/classification",
        version=2,
        title="PrefEval: picks the option that respects a preference",
        paper="arXiv 2502.09597",
        roles={
            "candidate": suite.Role(needs={"chat"}),
            "embedder": suite.Role(needs={"rank"}, optional=True),
        },
        headline="correct",
        datasets=(DATASET,),
        mini={DATASET: "prefeval-mini"},
        presets={
            "paper": [
                {"form": form, "method": method, "inter_turns": turns}
                for form in FORMS
                for method in ("zero-shot", "remind", "cot", "selfcritic", "rag")
                for turns in PAPER_TURNS
                if method != "rag" or turns > 0
            ],
            "leaderboard": [
                {"form": form, "method": method, "inter_turns": turns}
                for form in FORMS
                for method in ("zero-shot", "remind")
                for turns in (0, 3, 8, 28, 68, 298)
            ],
            # 20 pairs, for minutes count on a CPU; a small model seldom begins the tag by itself
            "mini": [
                {
                    "method": method,
                    "inter_turns": turns,
                    "prefill": True,
                    "max_tokens": 1,
                }
                for method in ("zero-shot", "remind")
                for turns in (0, 1)
            ],
            # the same for endpoints that cannot continue an answer: other cells, compared with nothing else
            "mini-plain": [
                {"method": method, "inter_turns": turns, "max_tokens": PLAIN_TOKENS}
                for method in ("zero-shot", "remind")
                for turns in (0, 1)
            ],
            # the mini cells that ask for memory, for the many pairs of prefeval-demo
            "demo": [
                {"method": method, "inter_turns": 1, "prefill": True, "max_tokens": 1}
                for method in ("zero-shot", "remind")
            ],
            "demo-plain": [
                {"method": method, "inter_turns": 1, "max_tokens": PLAIN_TOKENS}
                for method in ("zero-shot", "remind")
            ],
        },
        scored_reply="last",
        instead={"mini": "mini-plain", "demo": "demo-plain"},
        note="Prompts are our own wording; published scores used other prompts.",
    )
    metrics = (
        suite.Rate(
            "correct",
            by="topic",
            average="macro",
            about="The model picks the option that respects its user's preference.",
        ),
        suite.Rate(
            "correct_official",
            by="topic",
            average="macro",
            about="As `correct`, with the letter read by the published code's rule.",
        ),
        suite.Rate(
            "correct",
            name="correct_by_gold",
            by="gold",
            about="As `correct`, by the letter under which the right option stands.",
        ),
        *(
            suite.Rate(
                f"correct_per_{unit}",
                by="topic",
                average="macro",
                optional=True,
                about=f"As `correct`, with log-probabilities divided by the answer's length in {unit}s.",
            )
            for unit in ("token", "byte")
        ),
        suite.Rate(
            "unparsed",
            direction="lower",
            about="No single letter can be read from the answer; it counts as wrong.",
        ),
        suite.Rate(
            "unparsed_official",
            direction="lower",
            about="The published code's rule finds no letter; it counts as wrong.",
        ),
    )
    prompts = wording.CLASSIFICATION

    def __init__(self, parameters: ClassificationParameters) -> None:
        super().__init__(parameters)
        self._shots = suite.Shots[Item]((), suite.ShotParameters(), lambda _: ())
        if parameters.shots:
            self.prompts = wording.WITH_SHOTS

    def roles(self) -> Mapping[str, suite.Role]:
        """With `prefill` a candidate that continues an answer, by likelihood one that tells it."""
        roles, p = super().roles(), self.parameters
        needs = {"continue_final"} if p.prefill else set()
        needs |= {"prompt_logprobs"} if p.answering != "generate" else set()
        return {**roles, "candidate": suite.Role(needs={"chat", *needs})} if needs else roles

    async def open(self, data: suite.Data, tools: suite.Tools) -> Mapping[str, str]:
        """Draws the shots besides. Raises ConfigError for more than there are other topics."""
        facts = await super().open(data, tools)
        if not self.parameters.shots:
            return facts
        every = self.parameters.model_copy(update={"topics": ()})
        pairs = reading.classification_items(data, DATASET, every)
        train = (reading.sample(item, every.form) for item in pairs)
        self._shots = suite.Shots(train, every, _content, f"other topics of {DATASET}")
        return {**facts, **self._shots.facts()}

    @property
    def acknowledgement_tokens(self) -> int:
        """Upstream cuts the reply to the preference like a choice, after 5 tokens, leaving a fragment."""
        tokens = self.parameters.max_tokens
        return tokens if self.parameters.protocol == "paper" else max(PLAIN_TOKENS, tokens)

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Item]]:
        """All pairs with their options in upstream's shuffled order."""
        self.read_unrelated(data)
        for item in reading.classification_items(data, DATASET, self.parameters):
            yield reading.sample(item, self.parameters.form)

    def facts(self) -> dict[str, str]:
        """Labels an answer length that is not the paper's."""
        facts = super().facts()
        if self.parameters.max_tokens != PAPER_TOKENS:
            facts["max_tokens"] = f"{self.parameters.max_tokens} (paper: {PAPER_TOKENS})"
        return facts

    async def solve(self, sample: suite.Sample[Item], models: suite.Models) -> suite.Output:
        """One choice; with `selfcritic` a choice, a critique of it and a second choice."""
        item, p = sample.payload, self.parameters
        try:
            shots = (conversation.example(self.prompts, p, one.payload) for one in self._shots.of(sample))
            turns = tuple(turn for shot in shots for turn in shot)
            history = await self.history(item, models, turns)
            question = await self.question(item, history, models)
            asked = suite.user(conversation.asked_for(self.prompts, p, question, item))
            talk = history._replace(rest=(asked,))
            if p.answering != "generate":
                answers = conversation.answers(p, item)
                return await suite.choose(models.candidate, talk.messages, answers)
            first = await self._choose(models, talk)
            if p.method != "selfcritic" or (first.finish in GONE and not first.text.strip()):
                return self._output(first)
            chosen = suite.replied(first, profiles.OPEN_TAG if p.prefill else "")
            told = (asked, chosen, suite.user(self.prompts.critique()))
            limit = CRITIQUE_TOKENS if p.protocol == "paper" else max(CRITIQUE_TOKENS, p.max_tokens)
            critique = await self.ask(models, talk._replace(rest=told), limit)
            options = conversation.options_block(self.prompts, item.options)
            again = (suite.replied(critique), suite.user(self.prompts.revise() + options))
            return self._output(await self._choose(models, talk._replace(rest=(*told, *again))))
        except Stopped as stopped:
            return suite.Output(finish=stopped.finish)

    async def _choose(self, models: suite.Models, talk: profiles.Talk) -> suite.Reply:
        return await self.call(models, talk, self.parameters.max_tokens, prefill=self.parameters.prefill)

    def _output(self, reply: suite.Reply) -> suite.Output:
        opened = profiles.OPEN_TAG if self.parameters.prefill and reply.text else ""
        return suite.Output(opened + reply.text, finish=reply.finish)

    async def score(
        self,
        sample: suite.Sample[Item],
        output: suite.Output,
        models: suite.Models,  # noqa: ARG002
    ) -> suite.Score:
        """Compare the letter with the gold one, by the sound reading and by upstream's, or by likelihood."""
        if self.parameters.answering != "generate":
            answers = conversation.answers(self.parameters, sample.payload)
            return suite.Score(letters.likelihood_values(output, answers, sample.payload.gold))
        picked = letters.letter(output.text)
        official = letters.official_letter(output.text)
        return suite.Score(letters.values(picked, official, sample.payload.gold))

    def show(
        self, sample: suite.Sample[Item], output: suite.Output, score: suite.Score | None
    ) -> Iterable[suite.Block]:
        """The preference, the options and the pick."""
        return views.classification(sample.payload, output, score)
