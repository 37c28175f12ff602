"""The two sides of a test inside a sandbox: scripts in a mounted folder. They import nothing of suite."""
