"""Fill a compiled step's templates for one recipient, without any query."""

from collections import namedtuple
from dataclasses import dataclass, field

from frappe import _
from markupsafe import Markup

from drip_campaigns.core.errors import DripError
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.rendering.compile_step import CompiledStep, cut_out_content
from drip_campaigns.rendering.link_tracker import Tracker
from drip_campaigns.rendering.record_view import RecordView
from drip_campaigns.rendering.templates import RECIPIENT_FIELDS, limit_time, to_plain
from drip_campaigns.rendering.timeline_html import make_timeline_html

RENDER_SECONDS = 2  # of processor time, for one email
MAX_CHARACTERS = 2_000_000  # Gmail shows the first 102 KB; many servers refuse 10 MB and more
UNTRACKED = Tracker("", "", (), {})

# What a text can read of a recipient, and cannot change
_Person = namedtuple("_Person", RECIPIENT_FIELDS)


class EmailTooLargeError(DripError):
	"""The email is too large to send."""


@dataclass(frozen=True)
class EmailFrame:
	"""What surrounds the text of a step in every email."""

	unsubscribe_url: str
	preferences_url: str
	campaign_name: str
	sender_name: str
	postal_address: str
	view_url: str = ""
	confirm_url: str = ""  # of an email that asks for a confirmation
	tracker: Tracker = UNTRACKED
	rights: FieldRights = field(kw_only=True)  # to read fields of the recipient's record


@dataclass(frozen=True)
class RenderedEmail:
	"""One email's texts. `content` is what the ERP shows: without the recipient's own links."""

	subject: str
	html: str
	text: str
	content: str


def render_email(compiled: CompiledStep, recipient: Recipient, frame: EmailFrame) -> RenderedEmail:
	"""Return a step's email to one recipient. Raises whatever the templates raise, UnreadableFieldError, and EmailTooLargeError."""
	context = {
		"doc": RecordView(recipient.doctype, recipient.fields, frame.rights),
		"recipient": _Person(*(getattr(recipient, name) for name in RECIPIENT_FIELDS)),
		"unsubscribe_url": frame.unsubscribe_url,
		"preferences_url": frame.preferences_url,
		"campaign_name": frame.campaign_name,
		"sender_name": frame.sender_name,
		"postal_address": frame.postal_address,
		"view_url": frame.view_url,
		**({"confirm_url": frame.confirm_url} if frame.confirm_url else {}),
		**frame.tracker.context(),
	}
	for_html = {"postal_address": _with_breaks(frame.postal_address)}
	with limit_time(RENDER_SECONDS):
		if compiled.preview:
			for_html["preview_text"] = to_plain(compiled.preview.render(context))
		html = compiled.html.render({**context, **for_html})
		subject = to_plain(compiled.subject.render(context))
		text = compiled.text.render(context).strip() + "\n"
	if len(html) + len(text) > MAX_CHARACTERS:
		raise EmailTooLargeError(
			_("The email has {0} characters. Shorten it to {1} at most.").format(len(html), MAX_CHARACTERS)
		)
	head, content, tail = cut_out_content(html)
	return RenderedEmail(
		subject=subject,
		html=head + content + tail,
		text=text,
		content=make_timeline_html(
			frame.tracker.without_tracking(content, compiled.target_by_key),
			(frame.unsubscribe_url, frame.preferences_url, frame.view_url, frame.confirm_url),
		),
	)


def _with_breaks(text: str) -> Markup:
	return Markup("<br>").join(text.splitlines())
