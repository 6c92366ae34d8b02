"""How long things may take that a database decides on."""

from __future__ import annotations

from datetime import timedelta

LEASE = timedelta(seconds=30)
"""How long a run may be silent before another process takes it for dead.

The clocks of all processes on one database have to agree to within much less.
"""

DATABASE_TIMEOUT = timedelta(seconds=10)
"""How long a database may fail or be silent before whatever waits for it is given up."""
