"""Write the rows of a batch of emails, each table in one statement.

An email is a Drip Email (ours, unique per enrollment and step), an Email Queue row with its recipient (Frappe
sends it), and a Communication with its links (the ERP shows it). Nothing here commits.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import frappe

from drip_campaigns.core.model import EmailStatus
from drip_campaigns.db.bulk_writes import insert_records, standard_values
from drip_campaigns.db.dialect import select_in
from drip_campaigns.rendering.message import MessageEnvelope
from drip_campaigns.rendering.render_email import RenderedEmail
from drip_campaigns.rendering.step_versions import Version, store_versions
from drip_campaigns.site.clock import to_site, to_site_plan
from drip_campaigns.site.row_names import new_name

DRIP_PRIORITY = 0  # Frappe's own mail has 1 and is sent first


@dataclass(frozen=True)
class OutgoingEmail:
	"""One email, rendered and addressed."""

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
	address_hash: str | None  # only if the frequency cap counts the email
	variant: str | None
	thread: str | None  # the Message-ID of the first email of its thread; None if this is the first


@dataclass(frozen=True)
class SkippedStep:
	"""A step that was due and is skipped, with the reason."""

	enrollment: frappe._dict
	step: str
	subject: str
	planned_at: datetime
	reason: str


# The columns of a Drip Email that a skipped step leaves empty
_NOT_SENT = dict.fromkeys(
	(
		*("reason", "queued_at", "deliver_at", "communication", "email_queue", "message_id"),
		*("tracking_mode", "step_version", "address_hash", "variant", "thread"),
	)
)


def drip_email_name(enrollment: str, step: str) -> str:
	"""Return the primary key of a step's email: a name that cannot be inserted twice."""
	return f"{enrollment}-{step}"


def insert_emails(
	mails: Sequence[OutgoingEmail], skipped: Sequence[SkippedStep], now: datetime, release_after: timedelta
) -> None:
	"""Write all rows of a batch in seven statements at most, however many emails.

	Our delivery job has until `release_after` to send the Email Queue rows; then Frappe's flush sends them.
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
		self.tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
		self.communications: dict[str, str] = {}

	def add_mail(self, mail: OutgoingEmail) -> None:
		queue, communication = new_name(), new_name()
		self.communications[mail.enrollment.name] = communication
		self._add_drip_email(
			mail,
			status=EmailStatus.QUEUED.value,
			subject=mail.rendered.subject[:255],
			queued_at=self.site_now,
			deliver_at=self.site_now,
			communication=communication,
			email_queue=queue,
			message_id=mail.envelope.message_id,
			tracking_mode=mail.tracking_mode,
			step_version=mail.version.name,
			address_hash=mail.address_hash,
			variant=mail.variant,
			thread=mail.thread,
		)
		self._add_queue(mail, queue, communication)
		self._add_communication(mail, communication)

	def add_skipped(self, skip: SkippedStep) -> None:
		status, subject = EmailStatus.SKIPPED.value, skip.subject[:255]
		self._add_drip_email(skip, status=status, subject=subject, reason=skip.reason)

	def add_links(self, mails: Sequence[OutgoingEmail]) -> None:
		"""Put each Communication on the timeline of the recipient and of the records that a Contact belongs to."""
		contacts = [m.enrollment.recipient for m in mails if m.enrollment.recipient_type == "Contact"]
		belongs = _load_contact_links(contacts)
		for mail in mails:
			enrollment = mail.enrollment
			links = [(enrollment.recipient_type, enrollment.recipient)]
			if enrollment.recipient_type == "Contact":
				links += belongs[enrollment.recipient]
			for idx, (doctype, name) in enumerate(links, 1):
				self._add(
					"Communication Link",
					new_name(),
					enrollment.owner,
					parent=self.communications[enrollment.name],
					parenttype="Communication",
					parentfield="timeline_links",
					idx=idx,
					link_doctype=doctype,
					link_name=name,
				)

	def write(self) -> None:
		for doctype, records in self.tables.items():
			insert_records(doctype, records)

	def _add_drip_email(self, made: OutgoingEmail | SkippedStep, **values: Any) -> None:
		enrollment = made.enrollment
		known = {
			"enrollment": enrollment.name,
			"campaign": enrollment.campaign,
			"step": made.step,
			"recipient_type": enrollment.recipient_type,
			"recipient": enrollment.recipient,
			"email_address": enrollment.email_address,
			"planned_at": to_site_plan(made.planned_at),
		}
		name = drip_email_name(enrollment.name, made.step)
		self._add("Drip Email", name, enrollment.owner, **{**_NOT_SENT, **known, **values})

	def _add_queue(self, mail: OutgoingEmail, queue: str, communication: str) -> None:
		enrollment, envelope = mail.enrollment, mail.envelope
		self._add(
			"Email Queue",
			queue,
			enrollment.owner,
			sender=envelope.from_address,
			message=mail.message,
			status="Not Sent",
			message_id=envelope.message_id,
			reference_doctype="Drip Enrollment",
			reference_name=enrollment.name,
			communication=communication,
			send_after=self.send_after,
			priority=DRIP_PRIORITY,
			add_unsubscribe_link=0,
			retry=0,
			email_account=mail.email_account,
		)
		self._add(
			"Email Queue Recipient",
			new_name(),
			enrollment.owner,
			parent=queue,
			parenttype="Email Queue",
			parentfield="recipients",
			idx=1,
			recipient=envelope.to_address,
			status="Not Sent",
		)

	def _add_communication(self, mail: OutgoingEmail, communication: str) -> None:
		enrollment, envelope = mail.enrollment, mail.envelope
		self._add(
			"Communication",
			communication,
			enrollment.owner,
			subject=mail.rendered.subject,
			communication_medium="Email",
			communication_type="Communication",
			sent_or_received="Sent",
			status="Linked",
			delivery_status="Sending",
			sender=envelope.from_address,
			sender_full_name=envelope.from_name,
			recipients=envelope.to_address,
			content=mail.rendered.content,
			communication_date=self.site_now,
			reference_doctype="Drip Enrollment",
			reference_name=enrollment.name,
			email_account=mail.email_account,
			message_id=envelope.message_id,
			user=enrollment.owner,
			email_template=mail.email_template,
		)

	def _add(self, doctype: str, name: str, owner: str, **values: Any) -> None:
		self.tables[doctype].append({"name": name, **standard_values(owner, self.site_now), **values})


def _load_contact_links(contacts: list[str]) -> dict[str, list[tuple[str, str]]]:
	links: dict[str, list[tuple[str, str]]] = defaultdict(list)
	fields = ["parent", "link_doctype", "link_name"]
	for row in select_in("Dynamic Link", fields, "parent", contacts, parenttype="Contact"):
		links[row.parent].append((row.link_doctype, row.link_name))
	return links
