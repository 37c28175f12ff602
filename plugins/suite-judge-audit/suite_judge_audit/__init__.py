"""Audits of judges: their biases (`biases`), and how far they agree with people (`labels`)."""
