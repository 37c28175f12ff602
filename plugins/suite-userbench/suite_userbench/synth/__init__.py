"""Travel scenarios made by this project ("userbench-synth"): catalogue, generator, independent solver.

Never to be compared with scores on the published scenarios.
"""
