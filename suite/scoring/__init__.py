"""Judges, verdicts, metrics, statistics: from replies to numbers with error bars."""
