"""`frappe.modules.patch_handler` is `frappe.patches` here: the same module object, so that patching one patches both."""

import sys

from frappe import patches

sys.modules[__name__] = patches
