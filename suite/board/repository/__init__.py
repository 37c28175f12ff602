"""A board's repository on disk. In: a folder under Git, bundles, pull requests. Out: its boards with their
entries; a new entry's folder; what is wrong with any of it.
"""
