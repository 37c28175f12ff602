"""prefeval/generation: does a free answer follow the preference its user mentioned?

A judge answers four yes/no checks; they compose into one headline and four error types (`verdicts`).
"""

from collections.abc import Iterable

import suite
from suite_prefeval import conversation, judging, reading, verdicts, views, wording
from suite_prefeval.parameters import GenerationParameters
from suite_prefeval.rows import Item
from suite_prefeval.solving import CRITIQUE_TOKENS, DATASET, Preferences, Stopped

PAPER_TOKENS = 300
REVISION_TOKENS = 500
NO_REPLY = ("overflow", "invalid")
PROMPTS = "prefeval-prompts"
# name of a check's template -> file of the published prompt
PUBLISHED = {
    "acknowledge": "error_type/check_acknowledge.txt",
    "violate": "error_type/check_violation.txt",
    "hallucinate": "error_type/check_hallucination.txt",
    "helpful": "error_type/check_helpful.txt",
}
# the topics that upstream's fine-tuning set leaves out: 180 pairs
UNSEEN_TOPICS = ["education_resources", "shop_motors", "shop_technology", "travel_transportation"]

_ERRORS = {
    "unhelpful": "The answer leaves the person without help.",
    "inconsistency": "A helpful answer repeats the preference and goes against it all the same.",
    "hallucination": "A helpful answer goes against the preference and follows one never told.",
    "unaware": "A helpful answer goes against the preference without repeating it.",
}


class Generation(Preferences[GenerationParameters]):
    """A free answer, judged."""

    info = suite.TaskInfo(
        name="prefeval/generation",
        version=2,
        title="PrefEval: answers that follow a preference",
        paper="arXiv 2502.09597",
        roles={
            "candidate": suite.Role(needs={"chat"}),
            "judge": suite.Role(needs={"chat"}, stage="score", many=True),
            "embedder": suite.Role(needs={"rank"}, optional=True),
        },
        headline="kept",
        datasets=(DATASET,),
        mini={DATASET: "prefeval-mini"},
        presets={
            "paper": [
                {"form": form, "method": method, "paper_turns": turns}
                for form in ("explicit", "implicit-choice", "implicit-persona")
                for method in ("zero-shot", "remind", "cot", "selfcritic", "rag")
                for turns in (2, 5, 10, 30, 50, 70)
                if method != "rag" or turns > 2
            ],
            "readme-leaderboard": [
                {"method": method, "paper_turns": turns, "topics": ["travel_restaurant"]}
                for turns in (10, 300)
                for method in ("zero-shot", "remind")
            ],
            "unseen-topics": [
                {"method": method, "paper_turns": turns, "topics": UNSEEN_TOPICS}
                for turns in (10, 300)
                for method in ("zero-shot", "remind")
            ],
            # three pairs with short answers: minutes count when the judge is a CPU
            "mini": [{"inter_turns": 0, "topics": ["garden_plants"], "max_tokens": 60}],
            "demo": [{"inter_turns": 0, "topics": ["garden_plants"], "max_tokens": 40}],
        },
        official_prompts=PROMPTS,
        scored_reply="last",
        questions={
            "kept": "Does the answer follow the preference and still help?",
            "unhelpful": "Does the answer leave the person without help?",
            "inconsistency": "Does the answer acknowledge the preference and go against it all the same?",
            "hallucination": "Does the answer go against the preference by following one never told?",
            "unaware": "Does the answer go against the preference without acknowledging it?",
        },
        note="The published judge (Claude 3 Sonnet) is retired: scores depend on the judge named here.",
    )
    metrics = (
        suite.Rate(
            "kept",
            by="topic",
            average="macro",
            about="The answer helps and does not go against the preference, by the judge's four checks.",
        ),
        suite.Rate(
            "kept_official",
            by="topic",
            average="macro",
            about="As `kept`, by the published reading: what cannot be read passes as no error.",
        ),
        *(suite.Rate(error, direction="lower", about=about) for error, about in _ERRORS.items()),
        suite.Rate("answered", about="The model gave any answer."),
        suite.Rate(
            "yes",
            name="judge_yes",
            over="parts",
            by="check",
            direction="neither",
            about="The judge says Yes to a check.",
        ),
        suite.Rate(
            "judge_unparsed",
            over="parts",
            by="check",
            direction="lower",
            about="A check's reply says neither Yes nor No.",
        ),
        suite.Rate(
            "judge_truncated",
            over="parts",
            direction="lower",
            about="A check's reply was cut off at its token limit.",
        ),
        suite.Rate("judge_retried", over="parts", direction="lower", about="A check had to be asked again."),
        suite.Agreement(
            "vote", name="kept", about="Whether the judges of a panel say the same of an answer."
        ),
    )
    prompts = wording.GENERATION

    def official_prompts(self, data: suite.Data) -> suite.Prompts:
        """The published texts of the four checks; the rest exists only in code upstream and stays ours."""
        texts = {
            name: wording.published(name, data.file(PROMPTS, path).read_text("utf-8"))
            for name, path in PUBLISHED.items()
        }
        return self.prompts.replace("mixed", **texts)

    @property
    def acknowledgement_tokens(self) -> int:
        """Upstream has one limit (`max_gen_tokens`) for the reply to the preference and for the answer."""
        return self.parameters.max_tokens

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Item]]:
        """All pairs of the form."""
        self.read_unrelated(data)
        for item in reading.generation_items(data, DATASET, self.parameters):
            yield reading.sample(item, self.parameters.form)

    def facts(self) -> dict[str, str]:
        """Labels an answer length that is not the paper's."""
        facts = super().facts()
        if self.parameters.max_tokens != PAPER_TOKENS:
            facts["max_tokens"] = f"{self.parameters.max_tokens} (paper: {PAPER_TOKENS})"
        return facts

    async def solve(self, sample: suite.Sample[Item], models: suite.Models) -> suite.Output:
        """One answer; with `selfcritic` an answer, a critique of it and a revision."""
        item, p = sample.payload, self.parameters
        length = f" {conversation.length_request(self.prompts, p)}"
        try:
            history = await self.history(item, models)
            asked = await self.question(item, history, models)
            talk = history._replace(rest=(suite.user(asked + length),))
            if p.method != "selfcritic":
                reply = await self.call(models, talk, p.max_tokens)
                return reply.output()
            answer = await self.ask(models, talk, p.max_tokens)
            paper = p.protocol == "paper"
            if paper:  # upstream leaves the length request out of this history
                talk = history._replace(rest=(suite.user(asked),))
            told = (*talk.rest, suite.replied(answer), suite.user(self.prompts.critique()))
            limit = p.max_tokens if paper else max(CRITIQUE_TOKENS, p.max_tokens)
            critique = await self.ask(models, talk._replace(rest=told), limit)
            again = suite.user(self.prompts.revise(question=item.question))
            told = (*told, suite.replied(critique), again)
            limit = REVISION_TOKENS if paper else max(REVISION_TOKENS, p.max_tokens)
            revision = await self.call(models, talk._replace(rest=told), limit)
            return revision.output()
        except Stopped as stopped:
            return suite.Output(finish=stopped.finish)

    async def score(
        self, sample: suite.Sample[Item], output: suite.Output, models: suite.Models
    ) -> suite.Score:
        """The four checks and what they amount to. No answer helps nobody and follows nothing.

        Upstream has the judge read an empty answer like any other; it stops where there is no reply at all.
        kept_official: None for a panel, since upstream has one judge.
        """
        answered = bool(output.text.strip())
        if not answered and output.finish in NO_REPLY:
            return verdicts.unanswered(suite.Unscored("no-reply", "upstream's script stops here"))
        panel = await judging.ask_panel(models.all("judge"), self.prompts, sample.payload, output.text)
        first = verdicts.official_findings({name: one.first for name, one in panel[0].items()})
        official = verdicts.compose(first)["kept"] if len(panel) == 1 else None
        if not answered:
            return verdicts.unanswered(official)
        found = verdicts.findings(judging.voted(panel))
        return suite.Score(
            {
                **verdicts.values(found),
                "kept_official": official,
                "answered": True,
            },
            [*judging.votes(panel), *(one.part() for checked in panel for one in checked.values())],
        )

    def show(
        self, sample: suite.Sample[Item], output: suite.Output, score: suite.Score | None
    ) -> Iterable[suite.Block]:
        """The preference, the answer and the judge's checks."""
        return views.generation(sample.payload, output, score)
