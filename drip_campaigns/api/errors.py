"""Turn our errors into messages for the user."""

import functools
from collections.abc import Callable
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError


def explained(function: Callable[..., Any]) -> Callable[..., Any]:
	"""Turn a DripError of a whitelisted method into frappe.throw; the error's text says what happened and what to do."""

	@functools.wraps(function)
	def wrapper(*args: Any, **kwargs: Any) -> Any:
		try:
			return function(*args, **kwargs)
		except DripError as error:
			return frappe.throw(str(error), title=_("Not possible"))

	return wrapper


def require_reason(text: str) -> str:
	"""Return what a user wrote about consent, without white space around it; raise ValidationError if it is empty."""
	if not text.strip():
		frappe.throw(_("Enter who asked for it, and how. This is the record of the request."))
	return text.strip()
