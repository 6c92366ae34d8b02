"""The public holidays of each site, on which nobody needs vacation.

They come from `holidays`, less what the company does not count: by the handbook there are 8 days in
Utrecht, 8 in Leeds and 13 in Porto in 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache

from holidays import country_holidays

SITES = ("Utrecht", "Leeds", "Porto")


@cache
def public_holidays(site: str, year: int) -> Mapping[date, str]:
    """Each day with its name."""
    if site == "Leeds":
        return dict(country_holidays("GB", subdiv="ENG", years=year))
    if site == "Porto":
        return dict(country_holidays("PT", years=year))
    dutch = country_holidays("NL", years=year, categories=("public", "optional"))
    return {day: name for day, name in dutch.items() if name not in _WORKED}


_WORKED = {"Easter Sunday", "Pentecost", "Liberation Day"}
