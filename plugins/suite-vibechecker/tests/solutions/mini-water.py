def solve(heights, step):
    best = run = 0
    for position, height in enumerate(heights):
        close = position > 0 and abs(height - heights[position - 1]) <= step
        run = run + 1 if close else 1
        best = max(best, run)
    return best
