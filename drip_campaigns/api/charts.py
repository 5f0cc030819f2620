"""Frappe's charts of the rows of this app, counted for each user.

Frappe keeps the numbers of a chart for everybody who opens it, and counts heatmaps without permissions. Rows of this app
are not the same for everybody.
"""

from typing import Any

import frappe
from frappe import _
from frappe.desk.doctype.dashboard_chart import dashboard_chart
from frappe.utils import get_datetime

from drip_campaigns.api.exports import OURS
from drip_campaigns.people.record_scope import EVERYTHING
from drip_campaigns.people.row_rights import DOCTYPES, find_row_condition
from drip_campaigns.site.messages import refuse


@frappe.whitelist(methods=["POST"])
def get(
	chart_name: str | None = None,
	chart: str | dict | None = None,
	no_cache: str | int | None = None,
	filters: str | list | dict | None = None,
	from_date: str | None = None,
	to_date: str | None = None,
	timespan: str | None = None,
	time_interval: str | None = None,
	heatmap_year: str | int | None = None,
	refresh: str | int | None = None,
) -> Any:
	"""Return the numbers of a chart as Frappe does; of this app's rows only those that the user may read, not cached.

	Frappe calls this in place of its own method (hook `override_whitelisted_methods`).
	"""
	chosen = {"filters": filters, "from_date": from_date, "to_date": to_date, "timespan": timespan}
	chosen |= {"time_interval": time_interval, "heatmap_year": heatmap_year}
	if not chart_name and not chart:
		refuse(_("Give the name of a chart."))
	found = (
		frappe.get_doc("Dashboard Chart", chart_name).as_dict() if chart_name else frappe.parse_json(chart)
	)
	if OURS in f"{found.get('document_type')} {found.get('parent_document_type')}":
		return _count(frappe._dict(found), chosen)
	return dashboard_chart.get(
		chart_name=chart_name, chart=chart, no_cache=no_cache, refresh=refresh, **chosen
	)


def _count(chart: frappe._dict, chosen: dict[str, Any]) -> Any:
	"""Frappe ignores the user's choices if it is told not to cache, so they become values of the chart."""
	_check_heatmap(chart)
	filters = chosen.pop("filters")
	chart.update({name: value for name, value in chosen.items() if value})
	if filters:
		chart.filters_json = filters
	for moment in ("from_date", "to_date"):
		if chart.get(moment):
			chart[moment] = get_datetime(chart[moment])
	return dashboard_chart.get(chart=chart, no_cache=1)


def _check_heatmap(chart: frappe._dict) -> None:
	if chart.type != "Heatmap":
		return
	doctype = chart.document_type
	frappe.has_permission(doctype, "read", throw=True)
	if doctype in DOCTYPES and find_row_condition(frappe.session.user, doctype) != EVERYTHING:
		refuse(
			_("You may not read all rows of {0}. Choose another type of chart."),
			_(doctype),
			exc=frappe.PermissionError,
		)
