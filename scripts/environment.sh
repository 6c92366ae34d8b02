# Sourced by ./chat and ./check: a virtual environment of their own, made with the Python at hand.

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

environment() {
  venv=$1
  python=${PYTHON:-python3}
  if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "chatrecord needs Python 3.11 or newer: set PYTHON to one" >&2
    exit 1
  fi
  if [ ! -x "$venv/bin/python" ]; then
    say "Making $venv"
    "$python" -m venv "$venv"
    # --group needs pip 25.1
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade pip
  fi
}

install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
