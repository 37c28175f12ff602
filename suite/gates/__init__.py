"""Gates: claims about a candidate, tested against a baseline every night, with few false blocks.

Nothing here changes a run. Why the verdicts may be believed: docs/gates.md.
"""
