"""The site on which the permission matrix is compared: one user of each kind, one row of each DocType, and the calls.

`tests/permission_matrix.py` has what each kind of user may do, `tests/integration/test_permission_matrix.py` compares.
"""

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from string import Template
from typing import Any

import frappe
import frappe.client
from frappe.desk.doctype.dashboard_chart.dashboard_chart import get as get_chart
from frappe.desk.doctype.number_card.number_card import get_result
from frappe.desk.search import search_link
from frappe.handler import execute_cmd
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

import drip_campaigns
from drip_campaigns.api.public import PublicPages
from drip_campaigns.campaign_templates.make_draft import save_as_template
from tests import factories
from tests.factories import DOMAIN
from tests.fakes import Clock

MODULE = "Drip Campaigns"
ADDRESS = f"ada@{DOMAIN}"
NO_RIGHTS = "Drip Test No Rights"  # a role that only opens Desk
# Kinds of users: the role of the app, and whether they may read the recipient. "blind" is a Drip User with whom the
# campaign and the list are shared, and who may not read the recipient.
ROLES = {
	"portal": (),
	"no_role": (NO_RIGHTS,),
	"owner": ("Drip User", "Sales User"),
	"other": ("Drip User", "Sales User"),
	"blind": ("Drip User",),
	"manager": ("Drip Manager", "Sales User"),
	"system_manager": ("System Manager",),
}
KINDS = ("guest", *ROLES)
DOCUMENT_RIGHTS = ("write", "delete", "share")
TYPE_RIGHTS = ("create", "report", "export")
WAYS_TO_SEE = ("list", "read", "search", "count")


def make_users() -> dict[str, str]:
	"""Return the user of each kind."""
	frappe.get_doc(doctype="Role", role_name=NO_RIGHTS, desk_access=1).insert(ignore_if_duplicate=True)
	users = {kind: factories.make_user(f"matrix-{kind}", *roles) for kind, roles in ROLES.items()}
	frappe.db.set_value("User", users["portal"], "user_type", "Website User")
	return {"guest": "Guest", **users}


@dataclass
class Site:
	"""The rows by DocType, all of them about one person in a campaign and on a list of the kind "owner"."""

	users: dict[str, str]
	names: dict[str, str]
	step: str = ""

	@classmethod
	def make(cls, clock: Clock) -> "Site":
		"""Make the users and the rows, and commit."""
		users = make_users()
		contact = factories.make_contact("Ada", ADDRESS)
		frappe.set_user(users["owner"])
		campaign, target_list = factories.make_campaign(), factories.make_list("Drip Test Matrix")
		template = save_as_template(campaign, "Drip Test Matrix", "")
		frappe.set_user("Administrator")
		campaign.db_set("status", "Active")
		site = cls(users, {"Drip Campaign": campaign.name, "Drip Target List": target_list.name})
		site.step = campaign.steps[0].name
		enrollment = factories.enroll(campaign, contact, clock)
		enrollment.db_set("owner", "Administrator")
		site.names |= {
			"Contact": contact.name,
			"Drip Enrollment": enrollment.name,
			"Drip Settings": "Drip Settings",
		}
		site.names[template.doctype] = template.name
		for doctype in own_doctypes():
			if doctype not in site.names:
				site.names[doctype] = site._insert(doctype)
		for doctype in ("Drip Campaign", "Drip Target List"):
			frappe.share.add(doctype, site.names[doctype], users["blind"], read=1, write=1)
		frappe.db.commit()
		return site

	def fill(self, arguments: dict[str, Any]) -> dict[str, Any]:
		"""Return arguments with the names of the rows."""
		names = {
			"campaign": self.names["Drip Campaign"],
			"step": self.step,
			"contact": self.names["Contact"],
			"enrollment": self.names["Drip Enrollment"],
			"target_list": self.names["Drip Target List"],
			"member": self.names["Drip Target List Member"],
			"refresh": self.names["Drip Target List Refresh"],
			"suppression": self.names["Drip Suppression"],
			"action": self.names["Drip Action"],
			"email": self.names["Drip Email"],
			"run": self.names["Drip Bulk Enrollment"],
			"proposal": self.names["Drip Proposed Change"],
		}
		return {
			key: Template(value).substitute(names) if isinstance(value, str) else value
			for key, value in arguments.items()
		}

	def _insert(self, doctype: str) -> str:
		"""Insert a row without its form: what counts here is whom it is about."""
		values = {
			"campaign": self.names["Drip Campaign"],
			"target_list": self.names["Drip Target List"],
			"enrollment": self.names["Drip Enrollment"],
			"recipient_type": "Contact",
			"recipient": self.names["Contact"],
			"record_type": "Contact",
			"record": self.names["Contact"],
			"email_address": ADDRESS,
			"url": "https://example.com",
			"changes": "{}",
		}
		meta = frappe.get_meta(doctype)
		if doctype == "Drip Email":
			values |= {"status": "Sent", "sent_at": frappe.utils.now()}
		filled = {name: value for name, value in values.items() if meta.has_field(name)}
		row = frappe.get_doc({"doctype": doctype, "status": _first_status(meta), "step": self.step, **filled})
		row.name = frappe.generate_hash(length=10)
		for field in meta.get("fields", {"unique": 1}):
			row.set(field.fieldname, row.name)
		row.db_insert()
		if doctype == "Drip Proposed Change":
			row.db_set("owner", self.users["owner"])
		return row.name


def _first_status(meta) -> str | None:
	field = meta.get_field("status")
	return field.options.split("\n")[0] if field and field.options else None


def own_doctypes(*, tables: bool = False) -> list[str]:
	"""Return the DocTypes of the app: those with records of their own, or its child tables."""
	return frappe.get_all(
		"DocType", filters={"module": MODULE, "istable": int(tables)}, pluck="name", order_by="name"
	)


def own_methods() -> list[str]:
	"""Return everything of the app that a request may call, found by importing all modules."""
	for module in pkgutil.walk_packages(drip_campaigns.__path__, "drip_campaigns."):
		if ".patches." not in module.name:
			importlib.import_module(module.name)
	ours = {f"{one.__module__}.{one.__qualname__}" for one in frappe.whitelisted}
	return sorted(name for name in ours if name.startswith("drip_campaigns."))


def is_allowed(call: Callable[[], Any]) -> bool:
	"""Return whether a call gets past the rights: what it finds wrong afterwards, such as a status, is no refusal."""
	try:
		return call() is not False
	except (frappe.PermissionError, frappe.AuthenticationError):
		return False
	except (frappe.ValidationError, frappe.DoesNotExistError):
		return True
	finally:
		frappe.db.rollback()
		frappe.clear_messages()


def allowed_kinds(site: Site, call: Callable[[], Any]) -> set[str]:
	"""Return the kinds of users for whom a call gets past the rights."""
	found = set()
	for kind, user in site.users.items():
		frappe.set_user(user)
		if is_allowed(call):
			found.add(kind)
	frappe.set_user("Administrator")
	return found


def call_method(method: str, arguments: dict[str, Any]) -> Any:
	"""Call a method as a request does, with the checks of guests, verbs and types."""
	verbs = frappe.allowed_http_methods_for_whitelisted_func[frappe.get_attr(method)]
	begin_request("/api/method/" + method, "POST" if "POST" in verbs else "GET")
	frappe.local.form_dict = frappe._dict(arguments)
	execute_cmd(method)


def ask_route(path: str, verb: str) -> int:
	"""Return the status with which a public route answers."""
	begin_request(f"/{path}", verb)
	try:
		page = PublicPages(path)
		assert page.can_render(), path
		return page.render().status_code
	finally:
		frappe.db.rollback()
		frappe.clear_messages()


def begin_request(path: str, verb: str) -> None:
	"""Begin a request of an address of its own."""
	frappe.local.request = Request(EnvironBuilder(path=path, method=verb).get_environ())
	frappe.local.request_ip = frappe.generate_hash(length=10)  # no limit by address
	frappe.local.response = frappe._dict(docs=[])
	frappe.local.form_dict = frappe._dict()


def ways_to_see(doctype: str, name: str) -> Iterator[tuple[str, Callable[[], bool]]]:
	"""Yield what shows a row to a user: a list, its form, a link field, and a count."""
	filters = [[doctype, "name", "=", name]]
	yield "read", lambda: frappe.client.get(doctype, name).get("name") == name
	if frappe.get_meta(doctype).issingle:
		return
	yield "list", lambda: bool(frappe.client.get_list(doctype, filters=filters))
	yield "search", lambda: bool(search_link(doctype, "", filters=json.dumps(filters)))
	yield "count", lambda: frappe.client.get_count(doctype, filters=filters) > 0


def rights_on(doctype: str, name: str) -> Iterator[tuple[str, Callable[[], bool]]]:
	"""Yield the rights on a row, and on its DocType."""
	for right in DOCUMENT_RIGHTS:
		yield right, lambda right=right: frappe.has_permission(doctype, right, doc=name)
	for right in TYPE_RIGHTS:
		yield right, lambda right=right: frappe.has_permission(doctype, right)


def count_on_card(card: str) -> bool:
	"""Return whether a number card shows the user any row."""
	document = frappe.get_doc("Number Card", card)
	return get_result(document, []) > 0


def count_on_chart(chart: str) -> bool:
	"""Return whether a chart shows the user any row."""
	shown = get_chart(chart_name=chart, refresh=1) or {"datasets": []}
	return any(any(one["values"]) for one in shown["datasets"])


def list_table(table: str, parent: str) -> bool:
	"""Return whether a user may list the rows of a child table."""
	return frappe.client.get_list(table, parent=parent) is not None


def find_parents(tables: list[str]) -> list[tuple[str, str]]:
	"""Return the child tables with each DocType that has them."""
	filters = {"options": ["in", tables], "fieldtype": ["in", ["Table", "Table MultiSelect"]]}
	return [
		(row.options, row.parent)
		for row in frappe.get_all("DocField", filters=filters, fields=["options", "parent"])
	]
