"""The revisions of the ready-made tables, one a file. A file that was released never changes."""
