"""The days of a campaign's Holiday List. That DocType is ERPNext's; on a site without it there are no holidays."""

from datetime import date

import frappe
from frappe import _
from frappe.utils import getdate

from drip_campaigns.core.errors import InvalidPlanError

HOLIDAY_LIST = "Holiday List"
FIELD = "holiday_list"


class HolidayListError(InvalidPlanError):
	"""The campaign's Holiday List cannot be read."""


def load_holidays(campaign) -> frozenset[date]:
	"""Return the days on which a Drip Campaign document must not send, the list's weekly ones included.

	Read from the cache, which Frappe renews when the list is saved. Raises HolidayListError when the list is gone.
	"""
	name = campaign.get(FIELD) if campaign.meta.has_field(FIELD) else None
	if not name:
		return frozenset()
	try:
		holiday_list = frappe.get_cached_doc(HOLIDAY_LIST, name)
	except frappe.DoesNotExistError as error:
		frappe.clear_last_message()
		raise HolidayListError(
			_("There is no Holiday List {0}. Choose another one under Timing.").format(name)
		) from error
	return frozenset(getdate(row.holiday_date) for row in holiday_list.holidays)
