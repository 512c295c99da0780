"""Which method to use on a data set: a board of it, run in the time that there is, and words.

It imports `suspects`, `leaderboard` and what runs cells.
"""
