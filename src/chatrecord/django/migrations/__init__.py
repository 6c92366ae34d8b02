"""The tables, by Django."""
