"""The pages of a board. In: the boards of a repository. Out: static files that any server can show."""
