"""A bundle of format 1, packed when the format was young: it stays readable for ever, byte for byte.

If this test fails, the reader broke, not the fixture. It is never made anew; a new format gets its own.
"""

from pathlib import Path

from suite.board.bundle.contents import open_bundle
from suite.board.bundle.rungs import Findings
from suite.journal.run import Run

FIXTURE = Path(__file__).parents[1] / "fixtures" / "format-1.suite.zip"
ID = "849822bff23c9e605fd5435fb86a744812422471c3a3f7d1bab7ab00ecb84438"


def test_bundle_of_format_1_is_read() -> None:
    findings = Findings()
    with open_bundle(FIXTURE, findings) as bundle:
        assert bundle is not None
        assert bundle.id == ID
        assert bundle.submission.format == "suite-submission/1"
        assert bundle.readme == "A bundle of format 1.\n"
        (run,) = bundle.runs
        assert run.sound
        read = Run(run.folder, run.entry.scoring)
        outputs = list(read.outputs())
        assert len(outputs) == 12
        assert all(read.text(one).startswith("an answer to ") for one in outputs)
        scores = list(read.scores())
        assert {str(one.values["said"]) for one in scores} <= {"True", "False"}
        headline = run.entry.cells[0].headline
        assert headline.n == 12
    assert not list(findings)
    assert [findings.rungs[name].status for name in ("R0", "R1", "R2")] == ["passed"] * 3
