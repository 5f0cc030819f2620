"""What an app's `commands.py` imports from `frappe.commands`: `pass_context` and `get_site`, as in Frappe 16."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
import frappe


def pass_context(function: Callable) -> Callable:
	"""Hand the command the context's object (`sites`, `force`, `verbose`, `profile`) as its first argument."""

	@wraps(function)
	def command(context: click.Context, *args: Any, **kwargs: Any) -> Any:
		try:
			return function(context.obj, *args, **kwargs)
		except (frappe.SiteNotSpecifiedError, frappe.IncorrectSitePath) as error:
			raise click.UsageError(str(error), context) from error

	return click.pass_context(command)


def get_site(context: Any, raise_err: bool = True) -> str | None:
	"""Return the first site of the context; raise `SiteNotSpecifiedError` where there is none."""
	if context.sites:
		return context.sites[0]
	if raise_err:
		raise frappe.SiteNotSpecifiedError
	return None


def call_command(command: click.Command, context: Any) -> Any:
	"""Run another command with the same context object."""
	return click.Context(command, obj=context).forward(command)
