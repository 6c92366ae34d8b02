"""How often a wrong password may be tried, and from where."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

WINDOW = 600.0
"""Seconds for which wrong passwords count, from the first one on."""

OF_ADDRESS = 50
"""Wrong passwords from one network address: several people may share one."""

OF_PERSON = 5
"""Wrong passwords for one person from one network address."""

CROWD = 100
"""Wrong passwords for one person from everywhere, after which each address has one guess.

Nobody is locked out from elsewhere: whoever knows the password needs one guess.
"""

MOST_KEPT = 10_000
"""Counts in memory, of each kind; the oldest go first."""


class TooManyAttempts(Exception):
    """No further attempt for some seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no further attempt for {seconds:.0f} seconds")
        self.seconds = max(1, ceil(seconds))


class Attempts:
    """Every attempt counts from its beginning, so that many at once are no way around a limit."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._of_address = Counts(clock)
        self._of_person = Counts(clock)
        self._of_pair = Counts(clock)

    def begin(self, address: str, person: str) -> None:
        """Count an attempt. Raises `TooManyAttempts`, and then counts nothing."""
        network = network_of(address)
        is_crowd = self._of_person.of(person) >= CROWD
        self._of_address.check(network, OF_ADDRESS)
        self._of_pair.check((network, person), 1 if is_crowd else OF_PERSON)
        self._of_address.add(network, 1)
        self._of_pair.add((network, person), 1)
        self._of_person.add(person, 1)

    def take_back(self, address: str, person: str) -> None:
        """The attempt that has begun was right, or never made."""
        network = network_of(address)
        self._of_address.add(network, -1)
        self._of_pair.add((network, person), -1)
        self._of_person.add(person, -1)


def network_of(address: str) -> str:
    """What one customer of a provider has: an IPv4 address, or 2**64 of IPv6."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((found, 64), strict=False))


@dataclass
class _Count:
    number: int
    ends: float


class Counts:
    """A number for each key, forgotten when its window is over."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: OrderedDict[Hashable, _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def of(self, key: Hashable) -> int:
        count = self._current(key)
        return count.number if count else 0

    def check(self, key: Hashable, most: int) -> None:
        """Raise `TooManyAttempts` if there are so many already."""
        count = self._current(key)
        if count is not None and count.number >= most:
            raise TooManyAttempts(count.ends - self._clock())

    def add(self, key: Hashable, number: int) -> None:
        count = self._current(key)
        if count is None:
            if number > 0:
                self._counts[key] = _Count(number, self._clock() + WINDOW)
        else:
            count.number += number
            self._counts.move_to_end(key)
            if count.number <= 0:
                del self._counts[key]
        while len(self._counts) > MOST_KEPT:
            self._counts.popitem(last=False)

    def _current(self, key: Hashable) -> _Count | None:
        count = self._counts.get(key)
        if count is not None and count.ends <= self._clock():
            del self._counts[key]
            return None
        return count
