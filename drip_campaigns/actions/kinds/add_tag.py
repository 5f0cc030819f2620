"""Tag the recipient's record."""

from collections.abc import Iterator

from frappe import _

from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.kind import Action, Right, lock_recipient, quote
from drip_campaigns.actions.record_tags import add_tag
from drip_campaigns.core.flow.actions import ActionKind


class AddTag(Action):
	"""Uses a tag as it is spelled already, or creates it."""

	label = ActionKind.ADD_TAG.value
	needed = ("action_tag",)

	def describe(self, step) -> str:
		return _("Add the tag {0}").format(quote(step.action_tag))

	def find_rights(self, step, recipient_type: str | None) -> Iterator[Right]:
		if recipient_type:
			yield recipient_type, "write"

	def do(self, context: ActionContext) -> ActionResult:
		tag = add_tag(lock_recipient(context), context.step.action_tag.strip())
		return ActionResult(_("Tag {0} was added to {1}").format(tag, context.who))
