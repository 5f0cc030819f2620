"""Frappe's export of a list, for lists of this app: no cell is a formula, because strangers write some of them.

A spreadsheet would compute it when a user opens the file (OWASP, CSV Injection). Exports of other apps stay as they are.
"""

import csv
import io
import zipfile

import frappe
from frappe.desk import reportview
from openpyxl import load_workbook

from drip_campaigns.core.plain_text import neutral_cell

OURS = "Drip "


@frappe.whitelist(methods=["POST"])
@frappe.read_only()
def export_query() -> None:
	"""Export a list as Frappe does, with its permissions; in a list of this app, formulas become texts.

	Frappe calls this in place of its own method (hook `override_whitelisted_methods`).
	"""
	is_ours = str(frappe.form_dict.get("doctype") or "").startswith(OURS)
	if is_ours:
		frappe.form_dict.pop("export_in_background", None)  # its file would not come by here
	delimiter = str(frappe.form_dict.get("csv_delimiter") or ",")[0]
	reportview.export_query()
	if is_ours and frappe.response.get("filecontent"):
		is_csv = str(frappe.response.filename).endswith(".csv")
		content = frappe.response.filecontent
		frappe.response.filecontent = neutral_csv(content, delimiter) if is_csv else neutral_workbook(content)


def neutral_csv(content: bytes, delimiter: str = ",") -> bytes:
	"""Return a CSV file without formulas; one without any stays as it is."""
	rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), delimiter=delimiter))
	neutral = [[neutral_cell(cell) for cell in row] for row in rows]
	if neutral == rows:
		return content
	file = io.StringIO()
	csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(neutral)
	return file.getvalue().encode("utf-8")


def neutral_workbook(content: bytes) -> bytes:
	"""Return an Excel file without formulas; one without any stays as it is."""
	with zipfile.ZipFile(io.BytesIO(content)) as parts:
		sheets = [name for name in parts.namelist() if name.startswith("xl/worksheets/")]
		if not any(b"<f>" in parts.read(name) or b"<f " in parts.read(name) for name in sheets):
			return content
	book, file = load_workbook(io.BytesIO(content)), io.BytesIO()
	for cell in (cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row):
		if cell.data_type == "f":
			cell.value = neutral_cell(str(cell.value))
	book.save(file)
	return file.getvalue()
