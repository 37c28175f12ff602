"""The order of entries. In: a board, its accepted entries, their tables of samples. Out: who is ranked and
who is not, values with intervals, ranks with intervals.
"""
