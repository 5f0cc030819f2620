"""Turn our errors into messages for the user."""

import functools
from collections.abc import Callable
from typing import Any

from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.site.messages import refuse


def explained(function: Callable[..., Any]) -> Callable[..., Any]:
	"""Show a DripError of a whitelisted method to the user; its text says what happened and what to do."""

	@functools.wraps(function)
	def wrapper(*args: Any, **kwargs: Any) -> Any:
		try:
			return function(*args, **kwargs)
		except DripError as error:
			return refuse(str(error), title=_("Not possible"))

	return wrapper


def require_reason(text: str) -> str:
	"""Return what a user wrote about consent, without white space around it; raise ValidationError if it is empty."""
	if not text.strip():
		refuse(_("Enter who asked for it, and how. This is the record of the request."))
	return text.strip()
