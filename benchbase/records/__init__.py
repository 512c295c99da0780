"""Records of finished cells: their form, the home folder, the committed files."""
