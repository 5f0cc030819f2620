"""The confirmation emails: their text, and which one an enrollment needs now."""

from datetime import datetime, timedelta

import frappe
from frappe import _

from drip_campaigns.core.schedule.confirmation import (
	REMINDER,
	AskQuestion,
	ConfirmationTimes,
	Expire,
	KeepWaiting,
	decide_question,
)
from drip_campaigns.rendering.step_text import StepText, load_template
from drip_campaigns.site.clock import from_site

BUTTON = '<p><a class="button" href="{{{{ confirm_url }}}}">{0}</a></p>'


def decide_confirmation_mail(
	row: frappe._dict, steps: dict, patience: ConfirmationTimes, *, is_open: bool, now: datetime
) -> AskQuestion | KeepWaiting | Expire:
	"""Return what an enrollment that awaits confirmation needs now; nothing while a question is being sent."""
	decision = decide_question(from_site(row.confirmation_asked_at), REMINDER in steps, patience, now)
	if is_open and isinstance(decision, AskQuestion):
		return KeepWaiting(now + timedelta(hours=1))
	return decision


def load_question(campaign, question: str) -> StepText:
	"""Return the text of a question: the campaign's Email Template, otherwise ours in the current language.

	A template without the link gets a button. Raises DoesNotExistError if the template does not exist.
	"""
	button = BUTTON.format(_("Yes, send me these emails"))
	is_reminder = question == REMINDER
	if not campaign.confirmation_template:
		return StepText(_subject(is_reminder), _default(is_reminder, button))
	text = load_template(campaign.confirmation_template)
	subject = _("Reminder: {0}").format(text.subject) if is_reminder else text.subject
	return StepText(subject, text.html if "confirm_url" in text.html else text.html + button)


def _subject(is_reminder: bool) -> str:
	if is_reminder:
		return _("Reminder: please confirm that you want our emails")
	return _("Please confirm that you want our emails")


def _default(is_reminder: bool, button: str) -> str:
	campaign = "<strong>{{ campaign_name }}</strong>"
	greeting = (
		"{% if recipient.first_name %}"
		+ _("Hello {0},").format("{{ recipient.first_name }}")
		+ "{% else %}"
		+ _("Hello,")
		+ "{% endif %}"
	)
	reason = (
		_("You haven't replied yet, so we are asking once more: do you want the emails “{0}”?").format(
			campaign
		)
		if is_reminder
		else _("This address was entered to receive the emails “{0}”. Do you want them?").format(campaign)
	)
	otherwise = (
		_("If not, you don't need to do anything. We will not email you again.")
		if is_reminder
		else _("If not, you don't need to do anything. We will not send them unless you confirm.")
	)
	return f"<p>{greeting}</p><p>{reason}</p>{button}<p>{otherwise}</p>"
