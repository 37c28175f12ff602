def solve(values):
    distinct = sorted(set(values))
    return distinct[-2] if len(distinct) > 1 else None
