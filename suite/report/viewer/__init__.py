"""Samples to browse in a page: what is sent there (`source`), how (`embedding`), and its script and style."""
