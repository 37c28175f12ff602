"""What runs inside a sandbox: the supervisor, process 1, between the suite and one untrusted program.

Its modules import nothing but each other and the standard library: they are handed in as source or bytecode
(`suite_sandbox.boxes`) and run under `python -I -S` in any sandbox.
"""
