"""Ids sort by the time they were made, and are valid UUIDs of version 7."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

from chatrecord.ids import new_id


def test_ids_are_uuid7_of_now() -> None:
    made = new_id()

    milliseconds = made.int >> 80
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert abs(milliseconds - datetime.now(UTC).timestamp() * 1000) < 5000


def test_ids_of_one_process_sort_in_the_order_they_were_made() -> None:
    made = [new_id() for _ in range(50_000)]

    assert made == sorted(made)


def test_threads_never_share_an_id() -> None:
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda _: [new_id() for _ in range(2000)], range(8)))

    assert len({one for batch in batches for one in batch}) == 16_000


def test_an_id_is_later_than_one_of_a_clock_that_is_ahead() -> None:
    ahead = UUID(int=new_id().int + (3_600_000 << 80))

    made = [new_id(after=ahead) for _ in range(1000)]

    assert made == sorted(made)
    assert made[0] > ahead
    assert new_id() < ahead
    assert new_id(after=UUID(int=0)) < ahead
