"""Text as every database keeps it, and without what is secret."""
