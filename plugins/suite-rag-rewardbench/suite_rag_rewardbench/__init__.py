"""RAG-RewardBench and RewardBench 1 and 2: which of two or more answers does a reward model prefer?

Papers: arXiv 2412.13746 (RAG-RewardBench), 2403.13787 and 2506.01937 (RewardBench 1 and 2). Three tasks
share one way to ask (`asking`) and one set of credit rules (`credit`). Start at `plugin`.
"""
