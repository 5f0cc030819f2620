"""The page that shows an email as it was sent, for mail programs that garble it. Nothing on it can run or submit.

The email is its author's HTML, so it is shown in a sandbox with its own origin, without scripts and forms. Pictures load
from the same hosts as in the email.
"""

import email
import re
from email import policy

import frappe
from frappe import _
from frappe.utils.jinja import get_template
from markupsafe import escape
from werkzeug.wrappers import Response

from drip_campaigns.core.tracking.tokens import Purpose
from drip_campaigns.pages.frame import HEADERS, Page, PageRequest, choose_language, render_problem
from drip_campaigns.people.preferences import find_language_of
from drip_campaigns.site.languages import direction

POLICY = (
	"sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src http: https: data:; "
	"style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
GONE = 410
_TITLE = re.compile(r"<title\b[^>]*?(?:/>|>\s*</title\s*>)", re.IGNORECASE)  # an empty title
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


def show(request: PageRequest) -> Response:
	"""Show the email, or say that it is no longer available."""
	mail = frappe.get_doc("Drip Email", request.subject)
	html = _sent_html(mail) or _kept_content(mail)
	if not html:
		choose_language(find_language_of(mail.recipient_type, mail.recipient))
		text = _("We no longer keep it here. You can still read it in your mailbox.")
		return render_problem(_("This email is no longer available"), text, GONE)
	headers = {**HEADERS, "Content-Security-Policy": POLICY}
	return Response(_titled(html, mail.subject), mimetype="text/html", headers=headers)


def _sent_html(mail) -> str | None:
	"""Return the HTML part of the sent message, as long as the Email Queue keeps it."""
	message = mail.email_queue and frappe.db.get_value("Email Queue", mail.email_queue, "message")
	if not message:
		return None
	part = email.message_from_string(message, policy=policy.default).get_body(("html",))
	return part.get_content() if part else None


def _kept_content(mail) -> str | None:
	"""Return the text that the Communication keeps for longer, without the footer and its links."""
	content = mail.communication and frappe.db.get_value("Communication", mail.communication, "content")
	if not content:
		return None
	lang = frappe.db.get_single_value("System Settings", "language") or "en"
	base = get_template("drip_campaigns/templates/emails/drip_base.html")
	return base.render(content=content, footer="", preheader="", lang=lang, dir=direction(lang))


def _titled(html: str, subject: str) -> str:
	"""Return the HTML with a title: the subject, if the email has none."""
	title = f"<title>{escape(subject or _('Email'))}</title>"
	if _TITLE.search(html):
		return _TITLE.sub(lambda _match: title, html, count=1)
	if "<title" in html.lower():
		return html
	head = _HEAD.search(html)
	return html[: head.end()] + title + html[head.end() :] if head else title + html


PAGE = Page(Purpose.VIEW, show)
