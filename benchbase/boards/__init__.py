"""Boards, scenarios and plans: what is to be run, as values."""
