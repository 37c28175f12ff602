"""Vibe Checker for suite: programs that must work and follow instructions.

`vericode` is the library of 30 verifiable instructions, `harness` decides whether a program passes tests: both
stand alone. `task` puts the benchmark behind the suite's contract; `plugin` announces it. Nothing is imported here.
"""
