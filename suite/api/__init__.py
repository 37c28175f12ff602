"""The suite as Python calls: evaluate, score, compare and load, with results as tables.

They make the same folders, journals and reports as the command line, since both go through `preparation`.
"""
