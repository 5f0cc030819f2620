"""Charts of the rows of this app: each user sees the numbers of the rows that they may read, whoever opened it before."""

import json

import frappe
import pytest

from tests import factories, matrix_site
from tests.matrix_site import Site

CHART = "Drip Emails Sent per Day"


def open_chart(**arguments) -> list[float]:
	"""Open a chart as Desk does, and return its numbers."""
	matrix_site.begin_request("/api/method/chart", "POST")
	frappe.local.form_dict = frappe._dict(arguments)
	answer = frappe.handler.execute_cmd("frappe.desk.doctype.dashboard_chart.dashboard_chart.get")
	return [value for one in answer["datasets"] for value in one["values"]] if answer else []


def test_numbers_of_one_user_are_not_shown_to_another(site, clock):
	rows = Site.make(clock)
	frappe.cache.delete_value(f"chart-data:{CHART}")
	frappe.set_user(rows.users["manager"])
	seen = open_chart(chart_name=CHART)

	frappe.set_user(rows.users["other"])
	hidden = open_chart(chart_name=CHART)

	assert (sum(seen), sum(hidden)) == (1, 0)
	assert frappe.cache.get_value(f"chart-data:{CHART}") is None


def test_choices_of_the_user_count(site, clock):
	Site.make(clock)

	month = open_chart(chart_name=CHART, timespan="Last Month", time_interval="Daily")
	year = open_chart(chart_name=CHART, timespan="Last Year", time_interval="Monthly")
	none = open_chart(chart_name=CHART, filters=json.dumps([["Drip Email", "status", "=", "Failed"]]))

	assert (sum(month), sum(year), sum(none)) == (1, 1, 0)
	assert len(month) > len(year)


@pytest.mark.parametrize("kind", ["portal", "no_role", "other", "blind"])
def test_heatmap_counts_no_rows_that_the_user_may_not_read(site, clock, kind):
	rows = Site.make(clock)
	chart = {
		"doctype": "Dashboard Chart",
		"name": "x",
		"type": "Heatmap",
		"chart_type": "Count",
		"filters_json": "[]",
	}
	chart |= {
		"document_type": "Drip Email",
		"based_on": "sent_at",
		"timespan": "Last Year",
		"time_interval": "Daily",
	}
	frappe.set_user(rows.users[kind])

	with pytest.raises(frappe.PermissionError):
		open_chart(chart=json.dumps(chart))


def test_chart_of_another_app_is_frappes_own(site):
	name = "Drip Test Contacts"
	chart = frappe.get_doc(
		doctype="Dashboard Chart", chart_name=name, document_type="Contact", chart_type="Count"
	)
	chart.update({"type": "Bar", "based_on": "creation", "timeseries": 1, "timespan": "Last Year"})
	chart.update({"time_interval": "Yearly", "filters_json": "[]"})
	chart.insert()
	factories.make_contact("Ada")

	shown = open_chart(chart_name=name, refresh=1)

	assert sum(shown) == factories.count("Contact")
	frappe.db.rollback()
	frappe.cache.delete_value(f"chart-data:{name}")
