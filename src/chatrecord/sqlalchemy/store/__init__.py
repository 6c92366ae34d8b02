"""Implements the ports of `chatrecord.store` on SQLAlchemy."""
