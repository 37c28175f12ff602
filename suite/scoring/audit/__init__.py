"""Auditing a judge: built-in tasks in which the judge is the candidate, and what their numbers mean."""
