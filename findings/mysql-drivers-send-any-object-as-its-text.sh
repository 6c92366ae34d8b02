#!/usr/bin/env bash
# PyMySQL 1.1.2 and asyncmy 0.2.18 (psycopg 3.3.9 beside them), Python 3.11. No server is needed: it
# is the drivers that write values into statements.
#
# A value of a type that the driver does not know, such as a dataclass, is passed as a parameter. One
# would guess an error, as from psycopg ("cannot adapt type") and from sqlite3 ("type is not supported").
# Seen: both MySQL drivers write str() of it as a text, without a word. A column then holds "D(a=1)",
# and a comparison with it finds nothing instead of failing.
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  "asyncmy==0.2.18" "pymysql==1.1.2" "psycopg[binary]==3.3.9"

cat > "$work/see.py" <<'PYTHON'
from dataclasses import dataclass

import asyncmy.converters
import psycopg.sql
import pymysql.converters


@dataclass
class D:
    a: int = 1


print("asyncmy", asyncmy.converters.escape_item(D(), "utf8mb4"))
print("pymysql", pymysql.converters.escape_item(D(), "utf8mb4"))
try:
    print("psycopg", psycopg.sql.Literal(D()).as_string(None))
except psycopg.ProgrammingError as error:
    print("psycopg raises:", error)
PYTHON

seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "asyncmy 'D(a=1)'
pymysql 'D(a=1)'
psycopg raises: cannot adapt type 'D' using placeholder '%t' (format: TEXT)" ]
