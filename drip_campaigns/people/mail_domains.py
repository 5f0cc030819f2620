"""What the domain of an address says about a person: a colleague, a company, or only a large email provider."""

from fnmatch import fnmatchcase

import frappe

from drip_campaigns.people.addresses import normalize, spellings

LARGE_PROVIDERS = (
	*("gmail.com", "googlemail.com", "yahoo.*", "ymail.com", "rocketmail.com", "aol.*", "outlook.*", "hotmail.*"),
	*("live.*", "msn.com", "icloud.com", "me.com", "mac.com", "gmx.*", "web.de", "t-online.de", "freenet.de"),
	*("orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "sfr.fr", "libero.it", "proton.me", "protonmail.com"),
	*("mail.ru", "yandex.*", "qq.com", "163.com", "126.com", "rediffmail.com", "comcast.net", "verizon.net"),
)  # fmt: skip


def domain_of(address: str) -> str:
	"""Return the domain of an address in lower case and its ASCII form."""
	return normalize(address).rpartition("@")[2]


def is_large_provider(domain: str) -> bool:
	"""Return whether people of different companies share a domain, such as gmail.com."""
	return any(fnmatchcase(domain, pattern) for pattern in LARGE_PROVIDERS)


def is_internal(address: str) -> bool:
	"""Return whether an address is a mailbox or a Desk user of this site, or has the domain of such a mailbox."""
	accounts = frappe.get_all("Email Account", pluck="email_id")
	mailboxes = {normalize(account) for account in accounts if account}
	if normalize(address) in mailboxes:
		return True
	desk_user = {"email": ["in", spellings(address)], "user_type": "System User", "enabled": 1}
	if frappe.db.exists("User", desk_user):
		return True
	domain = domain_of(address)
	return domain in map(domain_of, mailboxes) and not is_large_provider(domain)
