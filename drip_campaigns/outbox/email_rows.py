"""The rows that one batch of emails is made of, each table written in one statement.

An email is a Drip Email (ours, unique per enrollment and step), an Email Queue row with its recipient (Frappe
sends it) and a Communication with its links (the ERP shows it). Nothing here commits.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import frappe

from drip_campaigns.core.model import EmailStatus
from drip_campaigns.db.dialect import by_name, insert_rows, select_in
from drip_campaigns.rendering.message import MessageEnvelope
from drip_campaigns.rendering.render_email import RenderedEmail
from drip_campaigns.rendering.step_versions import Version, store_versions
from drip_campaigns.site.clock import to_site, to_site_plan
from drip_campaigns.site.row_names import new_name

DRIP_PRIORITY = 0  # Frappe's own mail has 1 and goes first
_STANDARD = ("name", "owner", "creation", "modified", "modified_by")
_CHILD = ("parent", "parenttype", "parentfield", "idx")

_DRIP_EMAIL = (
	*_STANDARD,
	"enrollment",
	"campaign",
	"step",
	"subject",
	"status",
	"reason",
	"recipient_type",
	"recipient",
	"email_address",
	"planned_at",
	"queued_at",
	"deliver_at",
	"communication",
	"email_queue",
	"message_id",
	"tracking_mode",
	"step_version",
	"address_hash",
	"variant",
	"thread",
)
_EMAIL_QUEUE = (
	*_STANDARD,
	"sender",
	"message",
	"status",
	"message_id",
	"reference_doctype",
	"reference_name",
	"communication",
	"send_after",
	"priority",
	"add_unsubscribe_link",
	"retry",
	"email_account",
)
_QUEUE_RECIPIENT = (*_STANDARD, *_CHILD, "recipient", "status")
_COMMUNICATION = (
	*_STANDARD,
	"subject",
	"communication_medium",
	"communication_type",
	"sent_or_received",
	"status",
	"delivery_status",
	"sender",
	"sender_full_name",
	"recipients",
	"content",
	"communication_date",
	"reference_doctype",
	"reference_name",
	"email_account",
	"message_id",
	"user",
	"email_template",
)
_COMMUNICATION_LINK = (*_STANDARD, *_CHILD, "link_doctype", "link_name")


@dataclass(frozen=True)
class OutgoingEmail:
	"""One email, rendered and addressed, with what its rows need to know."""

	enrollment: frappe._dict
	step: str
	planned_at: datetime
	envelope: MessageEnvelope
	rendered: RenderedEmail
	message: str
	email_account: str | None
	email_template: str | None
	tracking_mode: str
	version: Version
	address_hash: str | None  # of one that the frequency cap counts
	variant: str | None
	thread: str | None  # the Message-ID of the first email of its thread, unless it begins one


@dataclass(frozen=True)
class SkippedStep:
	"""A step that was due and is passed over, with the reason."""

	enrollment: frappe._dict
	step: str
	subject: str
	planned_at: datetime
	reason: str


def drip_email_name(enrollment: str, step: str) -> str:
	"""Return the primary key of a step's email: a name that cannot be inserted twice."""
	return f"{enrollment}-{step}"


def insert_emails(
	mails: Sequence[OutgoingEmail], skipped: Sequence[SkippedStep], now: datetime, release_after: timedelta
) -> None:
	"""Write all rows of a batch: seven statements at most, however many emails.

	Until `release_after` has passed the Email Queue rows are ours to deliver; then Frappe's flush takes them.
	"""
	rows = _RowMaker(now, release_after)
	for mail in mails:
		rows.add_mail(mail)
	for skip in skipped:
		rows.add_skipped(skip)
	rows.add_links(mails)
	rows.write()
	store_versions((mail.version for mail in mails), now)


class _RowMaker:
	def __init__(self, now: datetime, release_after: timedelta) -> None:
		self.site_now = to_site(now)
		self.send_after = to_site(now + release_after)
		self.tables: dict[tuple[str, tuple], list] = defaultdict(list)
		self.communications: dict[str, str] = {}

	def add_mail(self, mail: OutgoingEmail) -> None:
		enrollment, envelope, account = mail.enrollment, mail.envelope, mail.email_account
		queue, communication = new_name(), new_name()
		self.communications[enrollment.name] = communication
		sender = envelope.from_address
		self._add_drip_email(
			mail,
			EmailStatus.QUEUED,
			mail.rendered.subject,
			None,
			(
				*(communication, queue, envelope.message_id, mail.tracking_mode),
				*(mail.version.name, mail.address_hash, mail.variant, mail.thread),
			),
		)
		self._add(
			"Email Queue", _EMAIL_QUEUE, queue, enrollment.owner, sender, mail.message, "Not Sent", envelope.message_id,
			"Drip Enrollment", enrollment.name, communication, self.send_after, DRIP_PRIORITY, 0, 0, account,
		)  # fmt: skip
		self._add(
			"Email Queue Recipient", _QUEUE_RECIPIENT, new_name(), enrollment.owner,
			queue, "Email Queue", "recipients", 1, envelope.to_address, "Not Sent",
		)  # fmt: skip
		self._add(
			"Communication", _COMMUNICATION, communication, enrollment.owner, mail.rendered.subject, "Email",
			"Communication", "Sent", "Linked", "Sending", sender, envelope.from_name, envelope.to_address,
			mail.rendered.content, self.site_now, "Drip Enrollment", enrollment.name, account,
			envelope.message_id, enrollment.owner, mail.email_template,
		)  # fmt: skip

	def add_skipped(self, skip: SkippedStep) -> None:
		self._add_drip_email(skip, EmailStatus.SKIPPED, skip.subject, skip.reason, (None,) * 8)

	def add_links(self, mails: Sequence[OutgoingEmail]) -> None:
		"""Put each Communication on the timeline of the recipient and of whatever a Contact belongs to."""
		contacts = [m.enrollment.recipient for m in mails if m.enrollment.recipient_type == "Contact"]
		belongs = _load_contact_links(contacts)
		for mail in mails:
			enrollment = mail.enrollment
			links = [(enrollment.recipient_type, enrollment.recipient)]
			if enrollment.recipient_type == "Contact":
				links += belongs[enrollment.recipient]
			for idx, link in enumerate(links, 1):
				self._add(
					"Communication Link", _COMMUNICATION_LINK, new_name(), enrollment.owner,
					self.communications[enrollment.name], "Communication", "timeline_links", idx, *link,
				)  # fmt: skip

	def write(self) -> None:
		for (doctype, columns), rows in self.tables.items():
			insert_rows(doctype, columns, by_name(rows))

	def _add_drip_email(
		self,
		made: OutgoingEmail | SkippedStep,
		status: EmailStatus,
		subject: str,
		reason: str | None,
		ids: tuple,
	) -> None:
		enrollment = made.enrollment
		queued_at = self.site_now if status is EmailStatus.QUEUED else None
		self._add(
			"Drip Email", _DRIP_EMAIL, drip_email_name(enrollment.name, made.step), enrollment.owner,
			enrollment.name, enrollment.campaign, made.step, subject[:255], status.value, reason,
			enrollment.recipient_type, enrollment.recipient, enrollment.email_address,
			to_site_plan(made.planned_at), queued_at, queued_at, *ids,
		)  # fmt: skip

	def _add(self, doctype: str, columns: tuple, name: str, owner: str, *values) -> None:
		row = (name, owner, self.site_now, self.site_now, owner, *values)
		self.tables[doctype, columns].append(row)


def _load_contact_links(contacts: list[str]) -> dict[str, list[tuple[str, str]]]:
	links: dict[str, list[tuple[str, str]]] = defaultdict(list)
	fields = ["parent", "link_doctype", "link_name"]
	for row in select_in("Dynamic Link", fields, "parent", contacts, parenttype="Contact"):
		links[row.parent].append((row.link_doctype, row.link_name))
	return links
