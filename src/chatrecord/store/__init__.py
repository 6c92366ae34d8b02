"""The ports to a database, one Protocol for each role."""
