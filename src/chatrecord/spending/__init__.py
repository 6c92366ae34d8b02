"""Limits, budgets, prices, usage and reports."""
