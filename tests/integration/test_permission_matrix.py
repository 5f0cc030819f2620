"""Every method, DocType, child table, card, chart, and public route, for every kind of user: as tests/permission_matrix.py says."""

from collections.abc import Callable, Iterator
from typing import Any

import frappe
import frappe.client

from drip_campaigns.api import public
from tests import matrix_site, permission_matrix
from tests.matrix_site import KINDS, Site

Cells = Iterator[tuple[str, set[str], Callable[[], Any]]]  # what, who may, how


def cells(site: Site) -> Cells:
	"""Yield each line of cells: what it is, who may do it, and how it is done."""
	for method, (who, arguments) in permission_matrix.METHODS.items():
		filled = site.fill(arguments)
		yield method, who, lambda method=method, filled=filled: matrix_site.call_method(method, filled)
	for doctype, rights in permission_matrix.DOCTYPES.items():
		name = site.names[doctype]
		for way, call in matrix_site.ways_to_see(doctype, name):
			yield f"{doctype}: {way}", rights["see"], call
		for right, call in matrix_site.rights_on(doctype, name):
			yield f"{doctype}: {right}", rights[right], call
	for (table, parent), who in permission_matrix.TABLES.items():
		yield (
			f"{table} of {parent}",
			who,
			lambda table=table, parent=parent: matrix_site.list_table(table, parent),
		)
	for card, who in permission_matrix.CARDS.items():
		yield f"card {card}", who, lambda card=card: matrix_site.count_on_card(card)
	for chart, who in permission_matrix.CHARTS.items():
		yield f"chart {chart}", who, lambda chart=chart: matrix_site.count_on_chart(chart)


def test_every_cell_is_as_documented(site, clock):
	matrix = Site.make(clock)

	wrong, count = [], 0
	for what, expected, call in cells(matrix):
		found = matrix_site.allowed_kinds(matrix, call)
		count += len(KINDS)
		if found != expected:
			wrong.append(f"{what}: also {sorted(found - expected)}, not {sorted(expected - found)}")

	print(f"{count} cells")
	assert not wrong, "\n".join(wrong)


def test_public_routes_answer_everybody_alike(site):
	users = matrix_site.make_users()
	wrong = []
	for route, expected in permission_matrix.ROUTES.items():
		for kind, user in users.items():
			frappe.set_user(user)
			path = f"drip/{route}" if route.startswith("webhook/") else f"drip/{route}/none"
			found = tuple(matrix_site.ask_route(path, verb) for verb in ("GET", "POST"))
			if found != expected:
				wrong.append(f"{route} for {kind}: {found}")

	print(f"{len(permission_matrix.ROUTES) * 2 * len(users)} cells")
	assert not wrong, "\n".join(wrong)


def test_everything_has_a_row(site):
	module = {"module": matrix_site.MODULE}
	tables = matrix_site.own_doctypes(tables=True)

	assert set(permission_matrix.METHODS) == set(matrix_site.own_methods())
	assert set(permission_matrix.DOCTYPES) == set(matrix_site.own_doctypes())
	assert set(permission_matrix.TABLES) == set(matrix_site.find_parents(tables))
	assert set(permission_matrix.CARDS) == set(frappe.get_all("Number Card", filters=module, pluck="name"))
	assert set(permission_matrix.CHARTS) == set(
		frappe.get_all("Dashboard Chart", filters=module, pluck="name")
	)
	assert set(permission_matrix.ROUTES) == {*public.PAGES, *public.VISITS, *public.WEBHOOKS}
	for doctype in permission_matrix.ABSENT:
		assert frappe.get_all(doctype, filters=module) == [], (
			f"{doctype} needs a table in permission_matrix.py"
		)
