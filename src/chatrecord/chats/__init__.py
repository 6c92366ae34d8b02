"""Chats: options, streams, titles, retention."""
