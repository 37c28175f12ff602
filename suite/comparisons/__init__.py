"""Runs against each other, and ratings of many models: computed from journals, told as typed blocks.

Nothing here draws (that is `suite.report`) and nothing here changes a run.
"""
