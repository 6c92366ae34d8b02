"""A project to begin with: files that are written once, and are the user's from then on."""
