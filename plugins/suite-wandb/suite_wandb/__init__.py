"""Runs of the suite as runs of Weights & Biases. Start at `plugin`."""
