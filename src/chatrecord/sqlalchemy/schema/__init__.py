"""The schema of the database, compared with that of the models."""
