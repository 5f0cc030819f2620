"""Examples for server.yml: each rule finds the line below `ruleid`, and accepts the line below `ok`."""

import frappe
import jinja2
from frappe import _
from frappe.utils import get_url

from drip_campaigns.rendering.templates import html_environment
from drip_campaigns.site.messages import add_note, refuse


def read(name, document, request, text):
	# ruleid: raw-sql
	frappe.db.sql(f"select name from tabUser where name = '{name}'")
	# ok: raw-sql
	frappe.get_all("User", filters={"name": name})

	# ruleid: ignore-permissions
	document.insert(ignore_permissions=True)
	# ruleid: ignore-permissions
	document.flags.ignore_permissions = True
	# ok: ignore-permissions
	document.insert()

	# ruleid: unescaped-message
	frappe.throw(_("There is no {0}.").format(name))
	# ruleid: unescaped-message
	frappe.msgprint(name)
	# ruleid: unescaped-message
	document.add_comment("Info", name)
	# ok: unescaped-message
	add_note(document, _("opened by {0}"), name)
	# ok: unescaped-message
	refuse(_("There is no {0}."), name)

	# ruleid: host-of-request
	link = get_url(f"/drip/{name}")
	# ruleid: host-of-request
	host = frappe.request.host
	# ok: host-of-request
	path = request.path

	# ruleid: template-outside-sandbox
	frappe.render_template(text, {})
	# ruleid: template-outside-sandbox
	jinja2.Environment().from_string(text)
	# ok: template-outside-sandbox
	html_environment().from_string(text)
	return link, host, path


def refuse_all(name):
	# ruleid: unescaped-message
	raise frappe.ValidationError(f"There is no {name}.")


# ruleid: allow-guest
@frappe.whitelist(allow_guest=True)
def open_to_all():
	return {}


# ok: allow-guest
@frappe.whitelist()
def for_users():
	return {}
