"""Histories that other libraries have kept."""
