"""Tag a locked record, or remove a tag.

Frappe's own DocTags reads the tags and writes them all without a lock. Of two workers, one would undo the other's.
"""

import frappe

from drip_campaigns.db.single_writes import write_values


def add_tag(document, tag: str) -> str:
	"""Add a tag to a record, and return it as it is spelled."""
	tag = _find_or_create(tag)
	tags = _read_tags(document)
	if tag.lower() not in (known.lower() for known in tags):
		_write_tags(document, [*tags, tag])
	if not frappe.db.exists("Tag Link", {**_link_of(document), "tag": tag}):
		title = document.get_title() or ""
		# nosemgrep: ignore-permissions - Frappe does the same for who may write the record, which the action checks
		frappe.get_doc(doctype="Tag Link", **_link_of(document), tag=tag, title=title).insert(
			ignore_permissions=True
		)
	return tag


def remove_tag(document, tag: str) -> None:
	"""Remove a tag from a record, without regard to case."""
	_write_tags(document, [known for known in _read_tags(document) if known.lower() != tag.lower()])
	frappe.db.delete("Tag Link", {**_link_of(document), "tag": tag})


def _find_or_create(tag: str) -> str:
	"""Return the tag as it is spelled already: Hot and hot are one. Insert a new one, unless another worker just did."""
	if known := frappe.db.get_value("Tag", tag, "name"):
		return known
	# nosemgrep: ignore-permissions - as Frappe's own tagging
	frappe.get_doc(doctype="Tag", name=tag).insert(ignore_permissions=True, ignore_if_duplicate=True)
	return tag


def _read_tags(document) -> list[str]:
	return [tag for tag in (document.get("_user_tags") or "").split(",") if tag]


def _write_tags(document, tags: list[str]) -> None:
	write_values(document.doctype, document.name, {"_user_tags": ",".join(tags)}, update_modified=False)


def _link_of(document) -> dict[str, str]:
	return {"document_type": document.doctype, "document_name": document.name}
