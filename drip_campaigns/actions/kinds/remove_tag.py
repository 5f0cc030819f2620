"""Remove a tag from the recipient's record."""

from collections.abc import Iterator

from frappe import _

from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.kind import Action, Right, lock_recipient, quote
from drip_campaigns.actions.record_tags import remove_tag
from drip_campaigns.core.flow.actions import ActionKind


class RemoveTag(Action):
	"""Does not regard the case of the tag's letters."""

	label = ActionKind.REMOVE_TAG.value
	needed = ("action_tag",)

	def describe(self, step) -> str:
		return _("Remove the tag {0}").format(quote(step.action_tag))

	def find_rights(self, step, recipient_type: str | None) -> Iterator[Right]:
		if recipient_type:
			yield recipient_type, "write"

	def do(self, context: ActionContext) -> ActionResult:
		tag = context.step.action_tag.strip()
		remove_tag(lock_recipient(context), tag)
		return ActionResult(_("Tag {0} was removed from {1}").format(tag, context.who))
