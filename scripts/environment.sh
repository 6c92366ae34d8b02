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

# Tests use real clocks, servers and kills: on a crowded machine one may run out of its time. What
# fails beside others has one more try alone, in full view, and has to pass there.
tests() {
  status=0
  "$venv/bin/python" -m pytest "$@" || status=$?
  if [ "$status" -eq 1 ]; then
    say "Alone, what failed beside others"
    status=0
    "$venv/bin/python" -m pytest "$@" -n 0 --last-failed --last-failed-no-failures none || status=$?
  fi
  return "$status"
}
