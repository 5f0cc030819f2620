"""`frappe.modules.utils` is `frappe.model.module_utils` here: the same module object, so that patching one patches both."""

import sys

import frappe.model.module_utils

sys.modules[__name__] = sys.modules["frappe.model.module_utils"]
