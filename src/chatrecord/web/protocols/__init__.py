"""One file for each wire that a page may speak."""
