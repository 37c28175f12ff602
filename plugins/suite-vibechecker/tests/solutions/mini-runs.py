from itertools import groupby


def solve(text):
    runs = [(sign, len(list(run))) for sign, run in groupby(text)]
    return "".join(sign + (str(length) if length > 1 else "") for sign, length in runs)
