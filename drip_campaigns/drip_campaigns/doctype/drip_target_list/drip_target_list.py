"""Drip Target List: recipients of any type, who can opt out themselves."""

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.core.model import LIVE_STATUSES
from drip_campaigns.enrollment.list_membership import count_members, delete_list_members
from drip_campaigns.jobs import refresh_lists
from drip_campaigns.lists.check import find_everybody, find_source_problems, prepare_sources
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.messages import refuse
from drip_campaigns.triggers.trigger_cache import publish_after_commit

SOURCE_FIELDS = (
	*("kind", "recipient_type", "filters", "report", "report_column", "report_filters", "email_group"),
	*("campaign", "log_event", "link_url", "included_list"),
)


class DripTargetList(Document):
	"""A named list; its members are separate records, because there can be millions."""

	def validate(self) -> None:
		self._check_title()
		prepare_sources(self)
		problems = list(find_source_problems(self))
		if problems:
			refuse("\n".join(problems), title=_("List {0} cannot be saved").format(self.list_name))
		if self._sources_changed():
			self._ask_about_everybody()
		self.member_count = 0 if self.is_new() else count_members(self.name)

	def on_update(self) -> None:
		if not self._sources_changed():
			return
		if self.sources:
			refresh_lists.start_anew(self.name, utc_now())
		else:
			refresh_lists.cancel(self.name)  # the members stay on the list

	def on_trash(self) -> None:
		live = [status.value for status in LIVE_STATUSES]
		count = frappe.db.count("Drip Enrollment", {"target_list": self.name, "status": ["in", live]})
		if count:
			refuse(
				_(
					"List {1} has {0} live enrollments, which end when their recipients opt out of it. Remove them first, or keep the list."
				),
				count,
				self.name,
				title=_("List in use"),
			)
		delete_list_members(self.name)

	def before_rename(self, old: str, new: str, merge: bool = False) -> None:
		if merge:
			refuse(
				_(
					"Lists cannot be merged, because people opt out of each list. Add {0} to {1} as a source instead."
				),
				old,
				new,
				title=_("Cannot be merged"),
			)

	def after_rename(self, old: str, new: str, merge: bool = False) -> None:
		publish_after_commit()

	def _check_title(self) -> None:
		if self.show_to_recipients and not (self.public_title or "").strip():
			refuse(
				_("List {0} is shown to recipients. Enter its Public Title."),
				self.list_name,
				title=_("Title missing"),
			)

	def _sources_changed(self) -> bool:
		before = self.get_doc_before_save()
		return _sources(self) != (_sources(before) if before else [])

	def _ask_about_everybody(self) -> None:
		found = find_everybody(self)
		if found and self.confirmed_count != found[1]:
			refuse(
				_(
					"These filters match every {0} that you can read: {1} records. Narrow them, or confirm the number (confirmed_count)."
				),
				_(found[0]),
				found[1],
				title=_("All Records?"),
			)


def _sources(target_list: Document) -> list[tuple]:
	return [tuple(row.get(field) or "" for field in SOURCE_FIELDS) for row in target_list.sources]
