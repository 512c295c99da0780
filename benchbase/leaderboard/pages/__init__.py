"""From tables to text: Markdown, CSV, charts, captions, files.

Imports what `leaderboard` does.
"""
