"""Proving that a task keeps the contract: in an author's own pytest, or by `suite plugin check`."""
