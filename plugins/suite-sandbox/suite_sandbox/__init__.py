"""Untrusted programs, contained by Linux namespaces (`bubblewrap`) or by a container runtime (`container`).

Started sandboxes are `boxes`, kept warm in a `pool`, bounded by `cgroups` and a `seccomp` filter; what
runs in one is `inside`. Not here: what a sandbox is, and how one is chosen and tried (`suite.Sandbox`).
"""
