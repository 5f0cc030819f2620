"""Drip Settings: limits, defaults, and Pause All Sending."""

from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, get_time

from drip_campaigns.core.schedule.frequency_caps import LONGEST_DAYS
from drip_campaigns.core.tracking.bot_detection import is_network
from drip_campaigns.db.single_writes import write_settings
from drip_campaigns.outbox import site_copy_check
from drip_campaigns.outbox.cancel import pause_queued, resume_queued
from drip_campaigns.pages.site_template import (
	find_color_problem,
	find_style_problem,
	find_template_problem,
)
from drip_campaigns.people.check_recipient_types import find_problems
from drip_campaigns.people.rehash_addresses import rehash_addresses
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.messages import refuse
from drip_campaigns.site.settings import release_after


class DripSettings(Document):
	"""Check the values on save, and pause or resume queued emails with Pause All Sending."""

	def validate(self) -> None:
		self._check_range("batch_size", 0, 5000)
		self._check_range("max_attempts", 0, 20)
		self._check_range("release_after_minutes", 5, 14)
		self._check_range("confirmation_reminder_days", 1, 365)
		self._check_range("confirmation_expiry_days", 1, 365)
		self._check_networks()
		self._check_range("cap_days", 1, LONGEST_DAYS)
		self._check_quiet_hours()
		self._check_pages()
		if problems := list(find_problems(self.recipient_types or [])):
			refuse("\n".join(problems), title=_("Recipient Types"))

	def _check_networks(self) -> None:
		for text in (self.machine_networks or "").split():
			if not is_network(text):
				refuse(_("“{0}” isn't a network. Enter one per line, such as 192.0.2.0/24."), text)

	def on_update(self) -> None:
		before = self.get_doc_before_save()  # None when the settings are saved for the first time
		if cint(before and before.pause_sending) == cint(self.pause_sending):
			return
		if self.pause_sending:
			pause_queued(now=utc_now())
		else:
			if site_copy_check.has_new_key():
				rehash_addresses()
			site_copy_check.record_site(utc_now())
			write_settings("Drip Settings", {"pause_reason": None})
			resume_queued(now=utc_now(), release_after=release_after())

	def _check_quiet_hours(self) -> None:
		if bool(self.quiet_from) != bool(self.quiet_to):
			refuse(_("Quiet hours need both times. Enter Quiet From and Quiet Until, or neither."))
		if self.quiet_from and get_time(self.quiet_from) == get_time(self.quiet_to):
			refuse(_("These quiet hours last a whole day. Enter two different times."))

	def _check_pages(self) -> None:
		checks = {
			"page_template": find_template_problem,
			"page_style": find_style_problem,
			"page_color": find_color_problem,
		}
		for field, find_problem in checks.items():
			if problem := self.get(field) and find_problem(self.get(field)):
				label = _(self.meta.get_label(field))
				refuse(f"{label}: {problem}", title=_("Recipients' Pages"))

	def _check_range(self, field: str, low: int, high: int) -> None:
		value = cint(self.get(field))  # 0 and empty mean the default (options.py)
		if value and not low <= value <= high:
			label = _(self.meta.get_label(field))
			refuse(_("{0} is {1}. Enter a number from {2} to {3}."), label, value, low, high)
