"""PrefEval: does a model still follow a preference its user mentioned many turns ago?

Paper: arXiv 2502.09597 (ICLR 2025). Two tasks share the conversations: `generation` is judged by a
model with four yes/no checks, `classification` picks one of four options. Start at `plugin`.
"""
