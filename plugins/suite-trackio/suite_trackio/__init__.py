"""Runs of the suite as runs of Trackio. Start at `plugin`."""
