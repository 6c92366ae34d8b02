"""Promises about real providers, kept against a loopback server and the providers' own clients."""
