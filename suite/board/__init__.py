"""Submissions that a stranger can verify, and boards built from them.

Rooms, from the bottom: `bundle` (what is submitted), `define` (what a board asks), `entry` (what a board
accepted), `rank`, then `pack` and `verify` beside each other, `repository`, `site`.
"""
