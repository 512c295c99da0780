"""Which labels look wrong: rankings of a data set's labels, and how far each can be believed.

Imports what runs cells, and no leaderboard.
"""
