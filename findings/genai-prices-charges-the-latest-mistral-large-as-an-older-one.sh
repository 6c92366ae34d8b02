#!/usr/bin/env bash
# genai-prices 0.2.3, Python 3.11.
#
# mistral-large-latest is the name of Mistral's newest large model: since December 2025 that is Mistral Large 3
# (mistral-large-2512) or later, at $0.50 and $1.50 a million tokens (https://mistral.ai/pricing, as read in
# June 2026 by https://github.com/simonw/llm-prices/pull/63). One would guess that the name has its price.
# Seen: it has that of mistral-large-2411, $2 and $6. So a cost by that name is four times the list price of
# mistral-large-2512, and nearly three times that of mistral-large-4, which the package knows, too.
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

used = Usage(input_tokens=1_000_000, output_tokens=1_000_000)
at = datetime(2026, 11, 30, 12, tzinfo=UTC)
for model in ("latest", "2411", "2512", "4"):
    found = calc_price(
        used, f"mistral-large-{model}", provider_id="mistral", genai_request_timestamp=at
    )
    print(model, f"{found.input_price:.2f}", f"{found.output_price:.2f}")
PYTHON

seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "latest 2.00 6.00
2411 2.00 6.00
2512 0.50 1.50
4 0.70 2.10" ]
