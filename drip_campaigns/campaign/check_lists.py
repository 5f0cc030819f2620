"""Check the lists that a campaign includes and its exclusions. Each problem names its row."""

import re
from collections.abc import Iterator

from frappe import _

from drip_campaigns.core.lists import ExclusionKind
from drip_campaigns.people.addresses import is_valid
from drip_campaigns.people.exclusions import ascii_domain

_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")


def prepare_exclusions(campaign) -> None:
	"""Clear the fields that a row's kind does not use, and normalize domains and addresses."""
	for row in campaign.exclusions:
		if row.kind == ExclusionKind.TARGET_LIST:
			row.value = None
			continue
		row.target_list = None
		row.value = (row.value or "").strip().lower()
		if row.kind == ExclusionKind.MAIL_DOMAIN:
			row.value = row.value.lstrip("@*.")


def find_list_problems(campaign) -> Iterator[str]:
	"""Yield each problem that prevents saving the campaign."""
	included = [row.target_list for row in campaign.target_lists]
	for row in campaign.target_lists:
		if included.index(row.target_list) < row.idx - 1:
			yield _("Include, row {0}: list {1} is already included. Remove one of the two rows.").format(
				row.idx, row.target_list
			)
	for row in campaign.exclusions:
		problem = _find_problem_of(row, included)
		if problem:
			yield _("Exclude, row {0}: {1}").format(row.idx, problem)


def _find_problem_of(row, included: list[str]) -> str | None:
	if row.kind == ExclusionKind.TARGET_LIST:
		if not row.target_list:
			return _("Target List is empty. Choose one.")
		if row.target_list in included:
			return _(
				"list {0} is also included, so it would exclude all its members. Remove one of the two."
			).format(row.target_list)
		return None
	if row.kind == ExclusionKind.MAIL_DOMAIN and not _DOMAIN.fullmatch(ascii_domain(row.value)):
		return _("“{0}” isn't a mail domain. Enter one such as competitor.example.").format(row.value)
	if row.kind == ExclusionKind.EMAIL_ADDRESS and not is_valid(row.value):
		return _("“{0}” isn't an email address. Enter exactly one.").format(row.value)
	return None
