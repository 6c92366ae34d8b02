"""What can be chosen for a new project."""

from __future__ import annotations

WEB = {
    "fastapi": "FastAPI",
    "starlette": "Starlette",
    "litestar": "Litestar",
    "flask": "Flask",
    "django": "Django",
    "none": "none, a script for the terminal",
}
"""The framework of the routes."""

TABLES = {
    "ready": "ready-made",
    "own": "my own classes, with my own columns and foreign keys",
}
"""Whose classes the tables are."""
