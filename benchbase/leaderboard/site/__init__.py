"""A board as one HTML file that needs nothing else, and as figures; draws what Python computed.

Imports what `leaderboard` does.
"""
