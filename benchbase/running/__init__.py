"""From planned cells to results: the sweep, one cell's conversation, its children."""
