"""Submissions that a stranger can verify, and boards built from them."""
