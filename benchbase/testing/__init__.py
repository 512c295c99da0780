"""For plugin authors: the conformance checks, a toy task, a fake installation.

Imports what loads and runs plugins.
"""
