"""The port to an LLM library."""
