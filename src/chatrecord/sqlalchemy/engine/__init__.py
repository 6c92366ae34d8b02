"""How statements reach the database: engines, connections, transactions, errors."""
