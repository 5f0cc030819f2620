"""`frappe.modules.utils` is `frappe.model.module_utils` here: the same module object, so that patching one patches both."""

import sys

from frappe.model import module_utils

sys.modules[__name__] = module_utils
