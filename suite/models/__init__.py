"""Models: from a spec to something that answers, and the life of the engines behind it."""
