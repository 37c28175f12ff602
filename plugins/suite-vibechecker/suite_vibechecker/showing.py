"""How one answer is shown in a report: the program with each verifier's findings at their lines.

Findings are not journaled: they follow from output and parameters, so they are computed again here.
"""

from collections.abc import Iterable, Sequence

import suite
from suite_vibechecker.rows import Requirement
from suite_vibechecker.scoring import Answer, items
from suite_vibechecker.vericode import check_many

MOST_FINDINGS = 200  # in one program; more says nothing new


def show(
    requirements: Sequence[Requirement], output: suite.Output, score: suite.Score | None
) -> Iterable[suite.Block]:
    """Test result, a table of instructions, and the code with its findings."""
    answer = Answer.of(output.text)
    asked = items(answer, requirements)
    verdicts = check_many(asked) if asked else []
    strict, official = verdicts[: len(requirements)], verdicts[len(requirements) :]
    if score is not None:
        names = ("passed", "passed_official", "test_result", "all_followed", "joint")
        yield suite.Facts({name: suite.shown(score.values.get(name)) for name in names}, title="Result")
    if requirements:
        rows = [
            (
                position + 1,
                one.instruction_idx,
                one.generation_prompt,
                strict[position].followed,
                official[position].followed,
                strict[position].applicable,
                len(strict[position].findings),
            )
            for position, one in enumerate(requirements)
        ]
        columns = ("#", "instruction", "asked", "followed", "official", "applicable", "findings")
        yield suite.Table(columns, rows, title="Instructions")
    findings = [
        suite.Finding(finding.line, f"{one.instruction_idx}: {finding.code} {finding.message}")
        for one, verdict in zip(requirements, strict, strict=True)
        if one.instruction_idx not in ("doc_4", "doc_6")  # their lines are the reply's, not the program's
        for finding in verdict.findings
    ]
    yield suite.Code(
        answer.code, "python", sorted(findings, key=lambda one: one.line)[:MOST_FINDINGS], title="Program"
    )
