"""`python -m chatrecord` is the command `chatrecord`."""

from chatrecord.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
