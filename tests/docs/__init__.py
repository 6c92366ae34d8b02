"""Everything README and docs say in code is run, and everything they say about tables is compared."""
