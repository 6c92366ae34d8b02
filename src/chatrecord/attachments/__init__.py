"""Files of questions and tools: read, named, stored."""
