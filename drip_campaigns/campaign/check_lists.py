"""What must be right about the lists that a campaign includes, and about whom it excludes. Each problem names its row."""

import re
from collections.abc import Iterator

from frappe import _

from drip_campaigns.core.lists import ExclusionKind
from drip_campaigns.people.addresses import is_valid
from drip_campaigns.people.exclusions import ascii_domain

_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")


def prepare_exclusions(campaign) -> None:
	"""Clear what does not belong to a row's kind; write domains and addresses without what people put around them."""
	for row in campaign.exclusions:
		if row.kind == ExclusionKind.TARGET_LIST:
			row.value = None
			continue
		row.target_list = None
		row.value = (row.value or "").strip().lower()
		if row.kind == ExclusionKind.MAIL_DOMAIN:
			row.value = row.value.lstrip("@*.")


def find_list_problems(campaign) -> Iterator[str]:
	"""Yield what forbids saving a campaign with these lists and exclusions."""
	included = [row.target_list for row in campaign.target_lists]
	for row in campaign.target_lists:
		if included.index(row.target_list) < row.idx - 1:
			yield _("Include, row {0}: list {1} is there already. Remove one of the two rows.").format(
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
			return _("list {0} is included, too, so nobody would be enrolled. Remove one of the two.").format(
				row.target_list
			)
		return None
	if row.kind == ExclusionKind.MAIL_DOMAIN and not _DOMAIN.fullmatch(ascii_domain(row.value)):
		return _("“{0}” is no mail domain. Enter one such as competitor.example.").format(row.value)
	if row.kind == ExclusionKind.EMAIL_ADDRESS and not is_valid(row.value):
		return _("“{0}” is no email address. Enter exactly one.").format(row.value)
	return None
