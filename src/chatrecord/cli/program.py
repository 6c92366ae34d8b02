"""What people type to run this."""

import os

PROGRAM = os.environ.get("CHATRECORD_PROGRAM", "chatrecord")
"""A script that wraps the command says its own name here, so that hints can be typed as shown."""
