"""Data sets, splits, noise and imbalance. Imports no other room."""
