"""Boards, scenarios and plans: what is to be run, as values.

Imports the rooms below it, and its peers `running` and `leaderboard`.
"""
