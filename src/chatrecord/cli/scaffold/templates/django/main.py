"""A chat page. Start it with `python main.py`, and open http://127.0.0.1:8000.

With arguments it is what other projects call manage.py: `python main.py createsuperuser`.
"""

from __future__ import annotations

import os
import sys

import django
from django.core.management import call_command, execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

if __name__ == "__main__":
    if len(sys.argv) > 1:
        execute_from_command_line(sys.argv)
    else:
        django.setup()
        call_command("migrate", verbosity=0)
        call_command("runserver", "8000", use_reloader=False)
