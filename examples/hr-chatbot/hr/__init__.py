"""An HR chatbot: a handbook to ask, vacation to look up and to take, every chat on record."""
