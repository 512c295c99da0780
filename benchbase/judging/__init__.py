"""Scores: from logits and labels to the blocks of a record; a pure function of both.

Imports `data` and no other room.
"""
