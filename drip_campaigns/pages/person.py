"""Who stands before a page: the language to speak to them in."""

from drip_campaigns.enrollment.leaving import Leaver
from drip_campaigns.enrollment.recipient_types import available_types
from drip_campaigns.enrollment.recipients import load_recipients
from drip_campaigns.pages.frame import choose_language
from drip_campaigns.tracking.preferences import load_preference


def speak_to(leaver: Leaver) -> None:
	"""Choose the language: the one they have asked for, else their record's, else their browser's, else the site's."""
	choose_language(load_preference(leaver.address).language or _language_of_record(leaver))


def _language_of_record(leaver: Leaver) -> str:
	if leaver.recipient_type not in available_types():
		return ""
	found = load_recipients(leaver.recipient_type, [leaver.recipient], whole=False)
	return found[leaver.recipient].language if leaver.recipient in found else ""
