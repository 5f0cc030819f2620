"""What a condition kind is on a site: the base class of the files in `condition_kinds/`, one file for each kind.

What a test asks is in the core, in the file of the same name: `core/flow/condition_kinds/`.
"""

from collections.abc import Hashable, Iterator
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.flow.condition_test import MembershipTest, Test
from drip_campaigns.people.field_rights import FieldRights


class ConditionKind:
	"""One kind of condition: its sentence, its check, and the data that it needs for a batch of enrollments."""

	test: type[Test]  # the pure part
	label = ""  # what the form calls a kind that asks for a name, such as a tag
	doctype = ""  # the DocType that the name links to

	def describe(self, test) -> str:
		"""Return what a test asks, as a statement: "Welcome was opened"."""
		raise NotImplementedError

	def find_problem(self, test) -> str | None:
		"""Return why a test cannot be used on this site, and what to do; None if it can."""
		return None

	def find_missing_field(self, test) -> str | None:
		"""Return the sentence about a field that does not exist, or no longer; None if it exists."""
		return None

	def find_forbidden(self, test, rights: FieldRights) -> Iterator[str]:
		"""Yield what the session's user, or those of `rights`, may not read and the test would reveal."""
		return iter(())

	def load(self, batch) -> Any:
		"""Load what the tests of this kind ask about every enrollment of a BatchConditionData, with a few queries.

		A kind of membership returns, by the key of an enrollment, what its recipient has or is in.
		"""
		raise NotImplementedError

	def key_of(self, enrollment) -> Hashable:
		"""Return the key of an EnrollmentConditionData in what `load` returns."""
		return enrollment.person


class MembershipKind(ConditionKind):
	"""A kind of membership in a record of `doctype`, which must exist."""

	def find_problem(self, test: MembershipTest) -> str | None:
		return find_missing_record(self.doctype, test.name)


def find_missing_record(doctype: str, name: str) -> str | None:
	"""Return the sentence about a record that does not exist, or None."""
	if frappe.db.exists(doctype, name):
		return None
	return _("{0} {1} doesn't exist. Choose another one.").format(_(doctype), name)
