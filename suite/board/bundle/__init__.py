"""A bundle and what it holds. In: an archive or a folder that a stranger made. Out: its documents and run
folders under names of our own, and findings (rungs R0 to R2) on all that is unsafe, unshaped or inconsistent.
"""
