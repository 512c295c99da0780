"""Images of one's own: read from folders, tables, npz files and Hugging Face sets, without code.

Each kind of source is a data set like a plugin's. Imports what ``benchbase.data`` may.
"""

SMALLEST, LARGEST = 8, 512
"""Pixels a side that images may be made to have."""
