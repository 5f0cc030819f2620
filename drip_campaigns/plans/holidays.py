"""The days of a campaign's Holiday List. ERPNext has that DocType; a site without it has no holidays."""

from datetime import date

import frappe
from frappe import _
from frappe.utils import getdate

from drip_campaigns.core.errors import InvalidPlanError

HOLIDAY_LIST = "Holiday List"
FIELD = "holiday_list"


class HolidayListError(InvalidPlanError):
	"""The campaign's Holiday List does not exist."""


def load_holidays(campaign) -> frozenset[date]:
	"""Return the days on which a Drip Campaign document must not send, the list's weekly ones included.

	Read from the cache, which Frappe renews when the list is saved. Raise HolidayListError if the list does not exist.
	"""
	name = campaign.get(FIELD) if campaign.meta.has_field(FIELD) else None
	if not name:
		return frozenset()
	try:
		holiday_list = frappe.get_cached_doc(HOLIDAY_LIST, name)
	except frappe.DoesNotExistError as error:
		frappe.clear_last_message()
		raise HolidayListError(
			_("The Holiday List {0} does not exist. Choose another one under Timing.").format(name)
		) from error
	return frozenset(getdate(row.holiday_date) for row in holiday_list.holidays)
