# Sourced by ./chat and ./check: a virtual environment of their own, made with the Python at hand.

# Progress goes to standard error: what a script prints may be on its way into a file.
say() { printf '\n\033[1m%s\033[0m\n' "$*" >&2; }

# What the machine lacks is told as such, before tests fail for it one after the other.
machine_is_fit() {
  folder=${TMPDIR:-/tmp}
  if ! (: >"$folder/.chatrecord-$$") 2>/dev/null; then
    echo "Nothing can be written to $folder: set TMPDIR to a folder where you may write" >&2
    exit 1
  fi
  rm -f "$folder/.chatrecord-$$"
  for each in "$folder" "$here"; do
    free=$(df -Pk "$each" | awk 'NR == 2 { print int($4 / 1024) }')
    if [ "$free" -lt 2048 ]; then
      echo "$each has $free MB free, and the checks need 2048: make room" >&2
      exit 1
    fi
  done
}

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

# On a terminal pip shows how far it has come: a first installation takes a minute.
install() {
  quiet=--quiet
  [ -t 2 ] && quiet=--progress-bar=on
  "$venv/bin/python" -m pip install "$quiet" --disable-pip-version-check "$@" >&2
}

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
