"""Logs of other tools as runs of suite: inspect-ai, lm-evaluation-harness. Start at `plugin`."""
