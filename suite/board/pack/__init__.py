"""A bundle made of runs. In: finished runs and the submitter's declarations. Out: a bundle, signed or not, or
every reason against one.
"""
