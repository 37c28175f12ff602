"""Which units does somebody think in? A classification: the answer is one word."""

import suite


class Message(suite.Payload):  # a row of units.jsonl, which lies beside this file
    id: str
    text: str
    units: str


class Units(suite.Task[Message, suite.Parameters]):
    info = suite.TaskInfo("units", 1, "Which units?", headline="correct", rows={"texts": "units.jsonl"})
    metrics = (suite.Rate("correct", by="units"),)

    def samples(self, data):
        for row in data.rows("texts", Message):
            yield suite.Sample(row.id, row, tags={"units": row.units})

    async def solve(self, sample, models):
        asked = f"{sample.payload.text}\n\nWhich units does this person use? Say metric or imperial."
        return (await models.candidate.chat(asked, max_tokens=10)).output()

    async def score(self, sample, output, models):
        return suite.Score({"correct": output.text.strip(" .\n").lower() == sample.payload.units})
