"""Runs in other projects' formats: Every Eval Ever, the Hub, lm-evaluation-harness. Start at `plugin`."""
