"""Exports of lists with texts of strangers: no cell of a CSV or Excel file is a formula."""

import csv
import io
import json

import frappe
import pytest
from openpyxl import load_workbook

from drip_campaigns.api import exports
from drip_campaigns.core.plain_text import FORMULA_STARTS
from tests import factories

FORMULAS = ("=cmd|'/c calc'!A1", "+1+SUM(A1)", "-2+3", "@SUM(1)", "\t=1")
METHOD = "frappe.desk.reportview.export_query"


@pytest.fixture
def enrollment(campaign, clock):
	"""An enrollment whose texts are formulas, however they came there."""
	found = factories.enroll(campaign, factories.make_contact("Ada"), clock)
	found.db_set(
		{"recipient_name": FORMULAS[0], "unsubscribe_reason": FORMULAS[1], "last_error": FORMULAS[3]}
	)
	frappe.db.commit()
	return found


def export(file_format: str, doctype: str = "Drip Enrollment", **options) -> bytes:
	"""Return the file that Frappe's export gives, by the method that requests reach."""
	[override] = frappe.get_hooks("override_whitelisted_methods")[METHOD]
	fields = [
		f"`tab{doctype}`.`{name}`" for name in ("name", "recipient_name", "unsubscribe_reason", "last_error")
	]
	form = {
		"doctype": doctype,
		"fields": json.dumps(fields),
		"filters": "[]",
		"file_format_type": file_format,
	}
	before, frappe.local.form_dict = (
		frappe.local.form_dict,
		frappe._dict(form, title="x", view="Report", **options),
	)
	frappe.local.response = frappe._dict()
	try:
		frappe.get_attr(override)()
		return frappe.local.response.filecontent
	finally:
		frappe.local.form_dict = before


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("quoting", [0, 2])
def test_csv_has_no_formula_and_keeps_the_text(enrollment, delimiter, quoting):
	content = export("CSV", csv_delimiter=delimiter, csv_quoting=quoting, export_in_background=1)

	rows = list(csv.reader(io.StringIO(content.decode()), delimiter=delimiter))
	cells = [cell for row in rows for cell in row]
	assert not [cell for cell in cells if cell.startswith(FORMULA_STARTS)]
	assert {f"'{FORMULAS[n]}" for n in (0, 1, 3)} <= set(cells)


def test_workbook_has_no_formula_and_keeps_the_text(enrollment):
	content = export("Excel")

	cells = [cell for row in load_workbook(io.BytesIO(content)).active.iter_rows() for cell in row]
	assert [cell.value for cell in cells if cell.data_type == "f"] == []
	assert f"'{FORMULAS[0]}" in [cell.value for cell in cells]


def test_file_without_formulas_stays_as_it_is():
	plain = b'"Sr","Name"\r\n1,"Ada"\r\n2,"-5"\r\n'

	assert exports.neutral_csv(plain) == plain


def test_user_without_the_right_to_export_gets_nothing(enrollment):
	frappe.set_user(factories.make_user("noexport"))

	with pytest.raises(frappe.PermissionError):
		export("CSV")
