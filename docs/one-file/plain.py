"""Can a model say an official sentence in plain words? A generation that a judge reads."""

import suite


class Notice(suite.Payload):  # a row of plain.csv; the first line of that file names the fields
    id: str
    text: str


def yes(reply):
    """What the judge said; a reply that is neither is shown to it again, and at last counts as unscored."""
    word = reply.strip(' ."').lower()
    if word not in ("yes", "no"):
        raise suite.Unparsed("it is neither yes nor no")
    return word == "yes"


class Plain(suite.Task[Notice, suite.Parameters]):
    info = suite.TaskInfo(
        name="plain",
        version=1,
        title="Says it in plain words",
        roles={
            "candidate": suite.Role(needs={"chat"}),
            "judge": suite.Role(needs={"chat"}, stage="score"),
        },
        headline="faithful",
        rows={"notices": "plain.csv"},
    )
    metrics = (suite.Rate("faithful"), suite.Mean("words", direction="lower"))
    prompts = suite.Prompts(
        ask="Say this in one plain sentence, for somebody who learns English:\n\n{text}",
        judge="Notice: {text}\n\nPlainly: {answer}\n\nDo both tell the reader the same? Say yes or no.",
    )

    def samples(self, data):
        return (suite.Sample(row.id, row) for row in data.rows("notices", Notice))

    async def solve(self, sample, models):
        reply = await models.candidate.chat(self.prompts.ask(text=sample.payload.text), max_tokens=100)
        return reply.output()

    async def score(self, sample, output, models):
        words = len(output.text.split())
        if not words:  # no answer is the candidate's failure: nobody needs to be asked
            return suite.Score({"faithful": False, "words": None})
        asked = self.prompts.judge(text=sample.payload.text, answer=output.text)
        verdict = await suite.judge(models.judge, asked, parse=yes, max_tokens=20)
        return suite.Score({"faithful": verdict.value_or_unscored(), "words": words})
