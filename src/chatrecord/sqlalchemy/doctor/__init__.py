"""Rows that break one of the library's own rules: found, and mended where nothing is invented."""
