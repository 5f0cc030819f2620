"""Who is one of us: the site's mailboxes, its users, and whoever writes from the same domain."""

import frappe

from drip_campaigns.core.schedule.confirmation import OptIn, must_confirm
from drip_campaigns.people.addresses import normalize, spellings
from drip_campaigns.people.email_providers import LARGE_PROVIDERS


def is_internal(address: str) -> bool:
	"""Say whether an address is a mailbox of this site, a user of its Desk, or of the domain that we write from."""
	accounts = frappe.get_all("Email Account", pluck="email_id")
	mailboxes = {normalize(account) for account in accounts if account}
	if normalize(address) in mailboxes:
		return True
	desk_user = {"email": ["in", spellings(address)], "user_type": "System User", "enabled": 1}
	if frappe.db.exists("User", desk_user):
		return True
	domain = normalize(address).rpartition("@")[2]
	is_shared = must_confirm(
		OptIn.LISTED_DOMAINS, domain, LARGE_PROVIDERS
	)  # gmail.com says nothing about who one is
	return domain in {mailbox.rpartition("@")[2] for mailbox in mailboxes} and not is_shared
