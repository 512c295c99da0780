"""From planned cells to results: the sweep, one cell's conversation, its children.

Imports all rooms but those that are built on it: `testing`, `suspects`, `advising`, `cli`.
"""
