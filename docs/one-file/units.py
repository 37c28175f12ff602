"""Does an answer keep to the unit that was asked for?"""

import suite


class Question(suite.Payload):  # a row of units.jsonl
    id: str
    text: str
    unit: str


class Units(suite.Task[Question, suite.Parameters]):
    info = suite.TaskInfo("units", 1, "Keeps to the unit", headline="kept", rows={"questions": "units.jsonl"})
    metrics = (suite.Rate("kept"),)

    def samples(self, data):
        return (suite.Sample(row.id, row) for row in data.rows("questions", Question))

    async def solve(self, sample, models):
        reply = await models.candidate.chat([suite.user(sample.payload.text)])
        return reply.output()

    async def score(self, sample, output, models):
        return suite.Score({"kept": sample.payload.unit in output.text.split()})
