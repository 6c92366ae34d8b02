"""All SQL of the library, built once for the classes of a `Models`."""
