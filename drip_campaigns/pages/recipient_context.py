"""The person who opens a page: their language, and the link to their preferences."""

from urllib.parse import urlsplit

import frappe

from drip_campaigns.enrollment.unsubscribe import LinkHolder
from drip_campaigns.pages.frame import choose_language
from drip_campaigns.people.addresses import normalize
from drip_campaigns.people.preferences import load_preference
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.people.recipients import load_recipients
from drip_campaigns.rendering.links import Links


def use_language_of(leaver: LinkHolder) -> None:
	"""Use the person's chosen language, or else their record's, their browser's, or the site's."""
	choose_language(load_preference(leaver.address).language or _language_of_record(leaver))


def preferences_link(leaver: LinkHolder) -> str:
	"""Return the link to the preferences page; none if the email was sent to another address than the current one.

	An unsubscribe link does not contain its address, and the owner of an old mailbox must not see the new subscriptions.
	"""
	sent_to = frappe.get_all("Drip Email", filters={"enrollment": leaver.name}, pluck="email_address")
	is_theirs = {normalize(address) for address in sent_to if address} == {normalize(leaver.address)}
	# Only the path: a request can name any host, and a page must not link there.
	return urlsplit(Links().preferences(leaver.name, leaver.address)).path if is_theirs else ""


def _language_of_record(leaver: LinkHolder) -> str:
	if leaver.recipient_type not in available_types():
		return ""
	found = load_recipients(leaver.recipient_type, [leaver.recipient], whole=False)
	return found[leaver.recipient].language if leaver.recipient in found else ""
