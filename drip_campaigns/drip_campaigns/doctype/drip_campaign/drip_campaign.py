"""Drip Campaign: the plan of an email series."""

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.campaign.audience_edits import apply_edit
from drip_campaigns.campaign.check import find_save_problems
from drip_campaigns.campaign.check_actions import prepare_actions, warn_of_missing_values
from drip_campaigns.campaign.check_goals import prepare_goal
from drip_campaigns.campaign.check_lists import prepare_exclusions
from drip_campaigns.campaign.check_statuses import warn_of_forbidding_statuses
from drip_campaigns.campaign.check_tracking import warn_of_untracked
from drip_campaigns.campaign.check_triggers import prepare_triggers
from drip_campaigns.campaign.check_variants import prepare_variants
from drip_campaigns.campaign.owners import list_senders
from drip_campaigns.campaign.proposals import find_waiting, forget, propose
from drip_campaigns.campaign.replan import is_replanned, renew_keys, replan_soon
from drip_campaigns.campaign.rights import may_activate, needs_release, require_release_right
from drip_campaigns.core.errors import DripError
from drip_campaigns.enrollment.campaign_checks import takes_no_one_new
from drip_campaigns.plans.check_flow import warn_of_unreachable
from drip_campaigns.rendering.sender_rights import explain_forbidden, find_forbidden
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.frappe_versions import clear_default_times
from drip_campaigns.site.messages import refuse, tell
from drip_campaigns.stats.counters import delete_campaign_counters
from drip_campaigns.triggers.refused_firings import count_refused
from drip_campaigns.triggers.tracking_gaps import explain_gap
from drip_campaigns.triggers.trigger_cache import publish_after_commit


class DripCampaign(Document):
	"""Validate the plan, and update the enrollments when it changes."""

	def before_insert(self) -> None:
		clear_default_times(self)
		self.status = "Draft"  # a copy or an import never sends before it is activated

	def onload(self) -> None:
		"""Tell the form which changes wait for a release, and how many came while the campaign takes no one new."""
		if not self.is_new():
			self.set_onload("tracking_gaps", {row.name: explain_gap(row) for row in self.triggers})
			self.set_onload("proposals", [row for row in find_waiting(self.name) if self._shows_to_user(row)])
		if takes_no_one_new(self):
			self.set_onload("refused_meanwhile", count_refused(self.name))

	def validate(self) -> None:
		self._check_status()
		self._check_new_senders()
		for step in self.steps:
			clear_default_times(step)
		prepare_triggers(self)
		prepare_exclusions(self)
		prepare_variants(self)
		prepare_goal(self)
		prepare_actions(self)
		problems = list(find_save_problems(self))
		if problems:
			refuse("\n".join(problems), title=_("Campaign {0} cannot be saved").format(self.campaign_name))
		warn_of_unreachable(self)
		warn_of_untracked(self)
		warn_of_forbidding_statuses(self)
		warn_of_missing_values(self)
		if (
			not self.flags.ignore_permissions
			and not self.is_new()
			and needs_release(self.get_doc_before_save())
		):
			self._propose()

	def on_update(self) -> None:
		before = self.get_doc_before_save()
		if before is None:
			return
		apply_edit(before, self, utc_now())
		if is_replanned(before, self):
			self._replan()

	def on_change(self) -> None:
		publish_after_commit()

	def on_trash(self) -> None:
		enrollments = frappe.db.count("Drip Enrollment", {"campaign": self.name})
		if enrollments:
			refuse(
				_("Campaign {0} has {1} enrollments. End it, or delete its enrollments first."),
				self.name,
				enrollments,
				title=_("Campaign in use"),
			)
		for doctype in ("Drip Trigger Firing", "Drip Action", "Drip Step Version", "Drip Variant Result"):
			frappe.db.delete(doctype, {"campaign": self.name})
		delete_campaign_counters(self.name)
		forget(self.name)

	def before_rename(self, old: str, new: str, merge: bool = False) -> None:
		"""Recipients see the name: renaming a live campaign needs the right to activate it. Nothing is merged."""
		if needs_release(self):
			require_release_right(self)
		if merge:
			refuse(
				_(
					"Campaigns cannot be merged: {0} and {1} have people and results of their own. End {0}, and enroll its people in {1}."
				),
				old,
				new,
				title=_("Cannot be merged"),
			)

	def after_rename(self, old: str, new: str, merge: bool = False) -> None:
		renew_keys(new)
		publish_after_commit()

	def _check_status(self) -> None:
		if not self.is_new() and self.has_value_changed("status"):
			refuse(
				_(
					"The status of campaign {0} cannot be edited. Use the buttons Activate, Pause, Resume, or End."
				),
				self.name,
			)

	def _check_new_senders(self) -> None:
		"""Refuse senders that this save adds and that the session's user may not use."""
		before = self.get_doc_before_save()
		known = list_senders(before) if before else []
		added = set(list_senders(self)) - set(known)
		if wrong := find_forbidden(frappe.session.user, added):
			refuse(explain_forbidden(frappe.session.user, min(wrong)), title=_("Sender Not Allowed"))

	def _propose(self) -> None:
		try:
			propose(self, utc_now())
		except DripError as error:
			refuse(str(error), title=_("Not Proposed"))

	def _shows_to_user(self, proposal: frappe._dict) -> bool:
		return proposal.owner == frappe.session.user or may_activate(self)

	def _replan(self) -> None:
		if replan_soon(self, utc_now()):
			return
		tell(_("The next emails of all enrollments are being scheduled in the background."), alert=True)


def on_doctype_update() -> None:
	"""Add the index for `find_campaigns_with_due`."""
	frappe.db.add_index("Drip Campaign", ["status"])
