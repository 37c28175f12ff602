"""The static site of a board: plain files that work from a disk, on any host and under any path."""
