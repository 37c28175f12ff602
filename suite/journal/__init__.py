"""The journal: what a run leaves on disk, one record a line, appended and never changed."""
