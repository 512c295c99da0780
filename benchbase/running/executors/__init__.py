"""Ways to run cells: in children or in this process. Imports what `running` does."""
