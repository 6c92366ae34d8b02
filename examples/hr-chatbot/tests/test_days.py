"""Days as people say them."""

from datetime import date

import pytest
from hr.days import NoSuchDay, days_in

MONDAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("tomorrow", "2026-12-01", "2026-12-01"),
        ("the day after tomorrow", "2026-12-02", "2026-12-02"),
        ("yesterday", "2026-11-29", "2026-11-29"),
        ("on Friday", "2026-12-04", "2026-12-04"),
        ("next Friday", "2026-12-11", "2026-12-11"),
        ("next week", "2026-12-07", "2026-12-11"),
        ("Monday to Wednesday", "2026-12-07", "2026-12-09"),
        ("in two weeks", "2026-12-14", "2026-12-14"),
        ("the first week of August", "2027-08-02", "2027-08-06"),
        ("the last week of July", "2027-07-26", "2027-07-30"),
        ("3 to 5 March", "2027-03-03", "2027-03-05"),
        ("from 3 March to 5 March", "2027-03-03", "2027-03-05"),
        ("3-5 March 2028", "2028-03-03", "2028-03-05"),
        ("March 3rd", "2027-03-03", "2027-03-03"),
        ("March 3 to 5", "2027-03-03", "2027-03-05"),
        ("28 December to 3 January", "2026-12-28", "2027-01-03"),
        ("21.12.2026", "2026-12-21", "2026-12-21"),
        ("2027-03-01 until 2027-03-03", "2027-03-01", "2027-03-03"),
        ("2027-03-05 to 2027-03-03", "2027-03-05", "2027-03-03"),
    ],
)
def test_days_are_read_as_people_say_them(said, first, last):
    days = days_in(f"I would like to take {said} off", MONDAY)
    assert (str(days.first), str(days.last)) == (first, last)


@pytest.mark.parametrize("said", ["in December", "Fridays", "two weeks", "I may take 3 days"])
def test_what_names_no_day_has_none(said):
    assert days_in(said, MONDAY) is None


def test_a_day_of_no_calendar_is_named():
    with pytest.raises(NoSuchDay, match="2027-02-30"):
        days_in("off on 30 February 2027", MONDAY)
