"""``python -m benchbase``."""

from benchbase.cli import main

main()
