"""The pages of a board. In: the boards of a repository. Out: a folder of static files that any server can show."""
