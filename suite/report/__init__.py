"""What people read: a run folder as terminal text, Markdown, HTML and exports. Nothing here changes a run."""
