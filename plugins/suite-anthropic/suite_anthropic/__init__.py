"""Anthropic's models, by Anthropic's own library."""
