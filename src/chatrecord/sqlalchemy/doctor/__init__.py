"""Finds rows that break an invariant, and repairs what can be repaired without inventing data."""
