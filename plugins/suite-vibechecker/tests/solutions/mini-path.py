from collections import deque


def neighbours(row, column):
    return [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]


def main():
    height, width = map(int, input().split())
    grid = [input().strip() for _ in range(height)]
    moves = {(0, 0): 0}
    queue = deque(moves)
    while queue:
        place = queue.popleft()
        for row, column in neighbours(*place):
            inside = 0 <= row < height and 0 <= column < width
            if inside and (row, column) not in moves and grid[row][column] == ".":
                moves[row, column] = moves[place] + 1
                queue.append((row, column))
    print(moves.get((height - 1, width - 1), -1))


main()
