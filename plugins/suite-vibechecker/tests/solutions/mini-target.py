def solve(numbers, target):
    seen = {}
    for position, number in enumerate(numbers):
        if target - number in seen:
            return [seen[target - number], position]
        seen.setdefault(number, position)
    return []
