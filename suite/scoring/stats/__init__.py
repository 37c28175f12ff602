"""All arithmetic on scores: pure functions from arrays and codes to numbers, numpy in, `Estimate` out.

Import from the defining module (`suite.scoring.stats.means`, ...): this package itself imports nothing, so
that a report that shows one mean does not pay for ratings. Every module names the paper of its formula; why
these: docs/statistics.md; golden values: tests/scoring/stats. Not here: tables, metrics and wording
(suite.scoring, suite.report).
"""
