"""Vibe Checker for suite: programs that must work and follow instructions.

`vericode` is the library of 30 verifiable instructions and stands alone, and so does `harness`, which decides
whether a program passes tests; `task` puts the benchmark behind the suite's contract; `plugin` announces
tasks and commands. Nothing is imported here.
"""
