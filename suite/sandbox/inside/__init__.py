"""What runs inside a sandbox: the supervisor, process 1, between the suite and one untrusted program.

Its modules import nothing of suite but each other and only the standard library: they are handed in as
source or bytecode (`suite.sandbox.boxes`) and run under `python -I -S` in any sandbox. Beside it, a `proof`.
"""
