"""Networks: their contract, building and loading them, ours. Imports the API and `data`."""
