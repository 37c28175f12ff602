"""What a board asks for. In: board.yaml. Out: the board as a type, the cells that an entry must bring, and
the commands that make them.
"""
