"""Tables: mixins, columns and their types."""
