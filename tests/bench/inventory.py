"""What a site holds: a checksum of each table, and the files in its folder; and the rows that name our app."""

from collections.abc import Iterator
from pathlib import Path

import frappe

from drip_campaigns import uninstall
from drip_campaigns.install import ROLES

TEXT_TYPES = ("char", "varchar", "text", "mediumtext", "longtext")
# Written by the command itself or by every connection
PASSING_TABLES = (
	"tabSessions",
	"tabActivity Log",
	"tabError Log",
	"tabScheduled Job Log",
	"tabDeleted Document",
)
# The site's own records of what was sent, and of who wants no more (README), and Frappe's log of what it has removed
KEPT_TABLES = (
	"tabCommunication",
	"tabCommunication Link",
	"tabEmail Queue",
	"tabEmail Queue Recipient",
	"tabEmail Unsubscribe",
	"tabError Log",
	"tabPermission Log",
)
KEPT_COLUMNS = ("tabDeleted Document.data", "tabDeleted Document.deleted_name")
FOLDERS = ("public/files", "private/files")


def take_inventory() -> dict[str, str]:
	"""Return a checksum for each table of the site, and the size of each file in its folders."""
	frappe.db.rollback()  # see what other processes have committed
	tables = [table for table in frappe.db.get_tables(cached=False) if table not in PASSING_TABLES]
	listed = ", ".join(f"`{table}`" for table in tables)
	checksums = frappe.db.sql(f"CHECKSUM TABLE {listed}")
	return {name.partition(".")[2]: str(checksum) for name, checksum in checksums} | dict(_sizes())


def _sizes() -> Iterator[tuple[str, str]]:
	for folder in FOLDERS:
		for file in Path(frappe.get_site_path(folder)).rglob("*"):
			if file.is_file():
				yield str(file), str(file.stat().st_size)


def find_traces() -> dict[str, int]:
	"""Return the number of rows that name our app, one of our DocTypes, or one of our roles, by table and column."""
	frappe.db.rollback()
	names = [uninstall.APP, "Drip Campaigns", *uninstall.find_own_doctypes(), *ROLES]
	found = {}
	for table, column in _text_columns():
		condition = f"`{column}` IN %(names)s OR `{column}` LIKE %(like)s"
		values = {"names": names, "like": f"%{uninstall.APP.replace('_', chr(92) + '_')}%"}
		if count := frappe.db.sql(f"SELECT COUNT(*) FROM `{table}` WHERE {condition}", values)[0][0]:
			found[f"{table}.{column}"] = count
	return found


def _text_columns() -> list[tuple[str, str]]:
	rows = frappe.db.sql(
		"""SELECT table_name, column_name FROM information_schema.columns
		WHERE table_schema = DATABASE() AND data_type IN %(types)s AND table_name NOT IN %(kept)s""",
		{"types": TEXT_TYPES, "kept": KEPT_TABLES},
	)
	return [(table, column) for table, column in rows if f"{table}.{column}" not in KEPT_COLUMNS]
