"""Values of a field are the same if the database holds the same, however a form spells them."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from drip_campaigns.core.flow.field_values import as_type, is_same


@pytest.mark.parametrize(
	("fieldtype", "spellings"),
	[
		("Currency", [100, 100.0, "100", "100.00", Decimal("100.000")]),
		("Float", [0, 0.0, "0", None, ""]),
		("Percent", [12.5, "12.50"]),
		("Int", [3, "3", 3.0]),
		("Check", [1, True, "1", "true", "Yes"]),
		("Check", [0, False, "0", None, "", "false"]),
		("Duration", [90, 90.0, "90"]),
		("Rating", [0.8, "0.80"]),
		("Time", ["9:00", "09:00:00", "9:00:00.000000", time(9), timedelta(hours=9)]),
		(
			"Date",
			["2026-05-04", date(2026, 5, 4), datetime.fromisoformat("2026-05-04"), "2026-05-04 00:00:00"],
		),
		(
			"Datetime",
			["2026-05-04 09:00:00", "2026-05-04 09:00:00.000000", datetime.fromisoformat("2026-05-04 09:00")],
		),
		("Data", ["Open", "OPEN", "open "]),
		("Link", [None, ""]),
		("Int", ["many", "Many"]),
	],
)
def test_spellings_of_one_value_are_the_same(fieldtype, spellings):
	for one in spellings:
		for other in spellings:
			assert is_same(one, other, fieldtype), (one, other)


@pytest.mark.parametrize(
	("fieldtype", "one", "other"),
	[
		("Currency", 100, "100.01"),
		("Check", 1, 0),
		("Time", "9:00", "21:00"),
		("Time", "00:00", None),
		("Date", "2026-05-04", None),
		("Date", "2026-05-04", "2026-05-05"),
		("Data", "9:00", "09:00"),
		("Data", "100", "100.0"),
		("Int", "many", 0),
	],
)
def test_other_values_differ(fieldtype, one, other):
	assert not is_same(one, other, fieldtype)


def test_a_text_that_is_no_number_stays_a_text():
	assert as_type("Many", "Int") == "many"
