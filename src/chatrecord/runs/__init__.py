"""One answer, from its first row to its last."""
