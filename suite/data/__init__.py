"""Registry entry -> verified local files -> typed rows.

An entry names a pinned source; `pull` brings its files into a content-addressed cache, and nothing is
used whose bytes or rows are not what the entry says. `view.Data` is what a task sees of it.
"""
