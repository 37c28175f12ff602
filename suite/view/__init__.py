"""One local page over all runs of a folder: served on the loopback, or written as static files."""
