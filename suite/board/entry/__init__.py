"""What a board accepted. In: an entry's folder. Out: the submission, the verification and the board's own
record of it as types, so that a page never meets a shape that it does not know.
"""
