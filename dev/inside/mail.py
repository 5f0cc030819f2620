"""Make the site send its mail to the mail catcher: `python -m dev.inside.mail PORT`."""

from __future__ import annotations

import sys

import frappe

from dev.paths import SITE
from dev.processes import LOOPBACK

NAME = "Dev Outgoing"
ADDRESS = "drip@example.com"


def point_mail_at(port: int) -> None:
	"""Make or change the default outgoing Email Account; another default account stays unchanged."""
	other = {"default_outgoing": 1, "enable_outgoing": 1, "name": ("!=", NAME)}
	if frappe.db.exists("Email Account", other):
		print("Another Email Account is the default for outgoing mail: left as it is")
		return
	account = frappe.get_doc("Email Account", NAME) if frappe.db.exists("Email Account", NAME) else None
	account = account or frappe.new_doc("Email Account", email_account_name=NAME, email_id=ADDRESS)
	account.update(
		{
			"enable_outgoing": 1,
			"default_outgoing": 1,
			"smtp_server": LOOPBACK,
			"smtp_port": port,
			"use_tls": 0,
			"use_ssl_for_outgoing": 0,
			"no_smtp_authentication": 1,
			"enable_incoming": 0,
		}
	)
	account.save()
	frappe.db.commit()


if __name__ == "__main__":
	frappe.init(SITE)
	frappe.connect()
	point_mail_at(int(sys.argv[1]))
	frappe.destroy()
