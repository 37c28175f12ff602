"""UserBench: agents that must draw out what a simulated user wants (arXiv 2507.22034)."""
