"""Contextualized Evaluations: does a context for an underspecified query change who answers better?

Paper: arXiv 2411.07237 (TACL). `contexteval/pairwise` gives a number with one command; the other tasks are
the protocol's stages, each a run that feeds the next. Start at `plugin`; docs/contexteval.md shows the order.
"""
