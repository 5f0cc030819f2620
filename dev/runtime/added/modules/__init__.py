"""`frappe.modules`, which the fork moved to `frappe.model`: the old import paths lead to the same functions."""

from frappe.model.export import scrub_dt_dn
from frappe.model.module_utils import (
	export_customizations,
	export_doc,
	export_module_json,
	get_app_publisher,
	get_doc_module,
	get_doc_path,
	get_doctype_app_map,
	get_doctype_module,
	get_module_app,
	get_module_name,
	load_doctype_module,
	make_boilerplate,
	reload_doc,
	sync_customizations,
)

__all__ = [
	"export_customizations",
	"export_doc",
	"export_module_json",
	"get_app_publisher",
	"get_doc_module",
	"get_doc_path",
	"get_doctype_app_map",
	"get_doctype_module",
	"get_module_app",
	"get_module_name",
	"load_doctype_module",
	"make_boilerplate",
	"reload_doc",
	"scrub_dt_dn",
	"sync_customizations",
]
