#!/usr/bin/env bash
# genai-prices 0.2.3, Python 3.11.
#
# DeepSeek charges its peak price from 01:00 to 04:00 and from 06:00 to 10:00 UTC, Monday through Friday
# (https://api-docs.deepseek.com/quick_start/pricing). One would guess that a request on a Saturday at 02:00
# is priced off-peak.
# Seen: it is priced as on a Monday at 02:00, at twice the price of a Saturday at 12:00.
#
# Fails if that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "genai-prices==0.2.3"

cat > "$work/see.py" <<'PYTHON'
from datetime import UTC, datetime

from genai_prices import Usage, calc_price


def price(at: datetime) -> str:
    usage = Usage(input_tokens=1_000_000)
    found = calc_price(
        usage, "deepseek-v4-flash", provider_id="deepseek", genai_request_timestamp=at
    )
    return str(found.total_price)


monday, saturday = datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC)
assert (monday.weekday(), saturday.weekday()) == (0, 5)
print(*(price(day.replace(hour=hour)) for day in (monday, saturday) for hour in (2, 12)))
PYTHON

seen=$("$work/venv/bin/python" "$work/see.py")
echo "seen, Monday and Saturday at 02:00 and 12:00: $seen"
[ "$seen" = "0.300 0.150 0.300 0.150" ]
