"""Settings of the server that last for a transaction."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select, true

SET_LOCAL = select(func.set_config(bindparam("name"), bindparam("value"), true()))
"""`SET LOCAL` of PostgreSQL, which takes no parameters itself. It ends with its transaction, also
where a pooler hands the connection on."""
