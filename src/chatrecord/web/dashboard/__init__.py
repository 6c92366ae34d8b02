"""A dashboard of chats: what they cost, how they went, and what was said.

from chatrecord.web.dashboard import dashboard

app.mount("/chats-admin", dashboard(db, allowed=is_admin))
"""

from .access import Allowed, Names
from .app import dashboard

__all__ = ["Allowed", "Names", "dashboard"]
