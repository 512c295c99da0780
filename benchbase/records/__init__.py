"""Records of finished cells: their form, the home folder, the committed files.

Imports `judging`, `data` and the values of `boards`.
"""
