"""Vibe Checker for suite: programs that must work and follow instructions.

`vericode` is the library of 30 verifiable instructions and stands alone; `task` puts the benchmark
behind the suite's contract; `plugin` announces both. Nothing is imported here.
"""
