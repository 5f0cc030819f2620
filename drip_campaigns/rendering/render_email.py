"""From a step to an email's text: compiled once per step, filled once per recipient.

What is the same for everybody (wrapping, inlining CSS, making the plain text) is done once, on the template, with
Jinja shielded. Nothing here reads or writes the database for a single recipient.
"""

import dataclasses
import logging
import re
from collections import namedtuple
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, zip_longest

import frappe
from frappe import _
from frappe.core.utils import html2text
from frappe.utils import get_url
from frappe.utils.caching import request_cache
from frappe.utils.jinja import get_template
from jinja2 import Environment, Template, TemplateSyntaxError, nodes
from markupsafe import Markup, escape
from premailer import Premailer

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.tracking.links import LinkRules, Target, rewrite_links
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.rendering.jinja_placeholders import ProtectedHtml, protect_jinja
from drip_campaigns.rendering.link_tracker import Tracker
from drip_campaigns.rendering.templates import (
	RECIPIENT_FIELDS,
	RecordView,
	html_environment,
	limit_time,
	text_environment,
	to_plain,
)
from drip_campaigns.rendering.timeline_html import make_timeline_html, without_head_parts
from drip_campaigns.site.languages import direction, use_language
from drip_campaigns.site.settings import footer_reason

RENDER_SECONDS = 2  # of processor time, for one email
MAX_CHARACTERS = 2_000_000  # Gmail shows the first 102 KB; many servers refuse 10 MB and more

# What the frame of an email says stands as a mark while HTML tools run, and becomes Jinja afterwards.
_URL_MARK, _POSTAL_MARK, _VIEW_MARK = "drip-unsubscribe-url", "drip-postal-address", "drip-view-url"
_PREFERENCES_MARK, _PREVIEW_MARK, _SENDER_MARK = (
	"drip-preferences-url",
	"drip-preview-text",
	"drip-sender-name",
)
_CONTENT_BEGINS, _CONTENT_ENDS = "<!--drip-content-begins-->", "<!--drip-content-ends-->"
_MARKS = {
	_URL_MARK: "{{ unsubscribe_url }}",
	_PREFERENCES_MARK: "{{ preferences_url }}",
	_POSTAL_MARK: "{{ postal_address }}",
	_VIEW_MARK: "{{ view_url }}",
	_PREVIEW_MARK: "{{ preview_text }}",
	_SENDER_MARK: "{% if sender_name %}{{ sender_name }}<br>{% endif %}",
}
_WHY_MARK = "drip-why-it-is-sent"
_PICTURE = '<img src="{{ open_url }}" width="1" height="1" alt="" style="display:block;width:1px;height:1px">'
NO_RULES, UNTRACKED = LinkRules(), Tracker("", "", (), {})
_BODY = re.compile(r"<body\b[^>]*>(.*?)(?:</body\s*>|\Z)", re.IGNORECASE | re.DOTALL)
# What an author hides from the eye, mostly a preview of the text, is not for the plain text either.
_HIDDEN = re.compile(
	r"<(div|span|p)\b[^>]*\bstyle\s*=\s*[\"'][^\"']*display\s*:\s*none[^>]*>.*?</\1\s*>",
	re.IGNORECASE | re.DOTALL,
)
_STYLE = re.compile(r"<style\b.*?</style\s*>", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_INDENT = re.compile(r"\n\s+")
_DOCUMENT = re.compile(r"<(html|body)\b", re.IGNORECASE)
_OWN_PATH = re.compile(r"((?:href|src|background)\s*=\s*[\"'])(/(?!/)[^\"']*)", re.IGNORECASE)
_ROW = re.compile(r"<(/?)tr\b[^>]*>", re.IGNORECASE)
_TABLE_PART = re.compile(r"</?(table|thead|tbody|tfoot|caption|colgroup|col|td|th)\b[^>]*>", re.IGNORECASE)
_DYNAMIC_CLASS = re.compile(r"class\s*=\s*[\"'][^\"']*dripj\d+x", re.IGNORECASE)


class EmailTooLargeError(DripError):
	"""The email is too large to be sent."""


@dataclass(frozen=True)
class StepText:
	"""What the user wrote for one step: subject, HTML and what a mailbox shows of it, all with Jinja."""

	subject: str
	html: str
	preview: str = ""


# What a text may see of a recipient, and cannot change.
_Person = namedtuple("_Person", RECIPIENT_FIELDS)


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


@dataclass(frozen=True)
class FooterText:
	"""What stands below the text of a step: in which language, which links, and why the email is sent."""

	language: str
	has_view_link: bool
	has_leave_link: bool
	why: str


@dataclass(frozen=True)
class CompiledStep:
	"""A step's templates, ready to be filled: one for each thing an email is made of."""

	subject: Template
	html: Template
	text: Template
	preview: Template | None = None
	targets: tuple[Target, ...] = ()  # where its counted links lead
	has_view_link: bool = True

	@cached_property
	def target_by_key(self) -> dict[str, str]:
		"""Where each counted link leads that leads to the same place for everybody."""
		return {target.key: target.target for target in self.targets if target.target}


@dataclass(frozen=True)
class RenderedEmail:
	"""One email's texts. `content` is what the ERP shows: without the recipient's own links."""

	subject: str
	html: str
	text: str
	content: str


def load_step_text(step) -> StepText:
	"""Return the text of a Drip Campaign Step row, from its Email Template if it names one.

	Raises DoesNotExistError when the template is gone.
	"""
	if step.email_template:
		text = load_template(step.email_template)
		return StepText(step.subject or text.subject, text.html, step.preview_text or "")
	html = (step.message_html if step.use_html else step.message) or ""
	return StepText(step.subject or "", html, step.preview_text or "")


def load_template(name: str) -> StepText:
	"""Return the text of an Email Template; raises DoesNotExistError when it is gone."""
	template = frappe.get_cached_doc("Email Template", name)
	return StepText(
		template.subject, (template.response_html if template.use_html else template.response) or ""
	)


def compile_step(
	text: StepText,
	footer_language: str | None = None,
	*,
	has_view_link: bool = False,
	has_leave_link: bool = True,
	links: LinkRules = NO_RULES,
) -> CompiledStep:
	"""Return the templates of a step; raises TemplateSyntaxError. The costly part, done once a job, language and address.

	The footer speaks `footer_language`, the recipient's; the text is in whatever language its author wrote. The link to
	leave is appended if the text lacks it, unless `has_leave_link` is false.
	"""
	lang = frappe.local.lang or "en"
	foot = FooterText(footer_language or lang, has_view_link, has_leave_link, footer_reason())
	return _compile(text, lang, get_url(), foot, links)


@request_cache
def _compile(text: StepText, lang: str, site_url: str, foot: FooterText, links: LinkRules) -> CompiledStep:
	for_html, for_text = html_environment(), text_environment()
	if _shows_leave_link(text.html, for_html):
		foot = dataclasses.replace(foot, has_leave_link=False)
	shielded = protect_jinja(text.html, for_html)
	# Inlined before it is framed: the author's style sheet is not for our footer.
	inlined = _inline(_absolute(shielded.html))
	with use_language(foot.language):
		footer, why = _make_footer(foot), _as_jinja(str(escape(_(foot.why))))
		plain = _make_text(text.html, foot)
	preview = _PREVIEW_MARK if text.preview.strip() else ""
	framed = _frame(inlined, is_document=bool(_DOCUMENT.search(text.html)), footer=footer, preview=preview)
	linked, targets = _count_links(framed, links, shielded)
	html = _unshield(shielded, linked).replace(_WHY_MARK, why)
	return CompiledStep(
		subject=_template(for_text, text.subject),
		html=_template(for_html, html),
		text=_template(for_text, plain),
		preview=_template(for_text, text.preview) if preview else None,
		targets=targets,
		has_view_link=any("view_url" in source for source in (text.subject, html, plain, text.preview)),
	)


def _shows_leave_link(html: str, environment: Environment) -> bool:
	"""Say whether whoever gets this text sees the link to leave in it: not in a comment, nor under a condition."""
	try:
		tree = environment.parse(_COMMENT.sub("", html))
	except TemplateSyntaxError:  # a comment holds one half of a statement
		tree = environment.parse(html)
	printed = [node for node in tree.body if isinstance(node, nodes.Output)]
	return any(name.name == "unsubscribe_url" for node in printed for name in node.find_all(nodes.Name))


def _count_links(html: str, links: LinkRules, shielded: ProtectedHtml) -> tuple[str, tuple[Target, ...]]:
	"""Rewrite the links that the author wrote, and put the picture behind the text; the frame's own links are not counted."""
	environment = html_environment()

	def written(url: str) -> str | None:
		text = shielded.unshield(url)
		try:
			environment.parse(text)
		except TemplateSyntaxError:  # one half of a statement
			return None
		return text

	head, content, tail = _cut(html)
	content, targets = rewrite_links(content, links, written)
	picture = _PICTURE if links.counts else ""
	head, tail = _spell_out(head), _spell_out(tail)
	return f"{head}{_CONTENT_BEGINS}{content}{_CONTENT_ENDS}{picture}{tail}", targets


def _spell_out(html: str) -> str:
	"""Write what is not ASCII as references, except in style sheets.

	An email whose author writes ASCII then travels as it is: quoted-printable makes HTML a fifth longer.
	"""
	pieces = (piece.encode("ascii", "xmlcharrefreplace").decode() for piece in _STYLE.split(html))
	return "".join(chain(*zip_longest(pieces, _STYLE.findall(html), fillvalue="")))


def _template(environment: Environment, source: str) -> Template:
	template = environment.from_string(source)
	# Jinja copies its globals for every email; from a plain dict that takes a tenth of the time.
	template.globals = dict(template.globals)
	return template


def fill(compiled: CompiledStep, recipient: Recipient, frame: EmailFrame) -> RenderedEmail:
	"""Fill a step's templates for one recipient; whatever the template raises is the caller's to record."""
	context = {
		"doc": RecordView(recipient.doctype, recipient.fields),
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
	head, content, tail = _cut(html)
	return RenderedEmail(
		subject=subject,
		html=head + content + tail,
		text=text,
		content=make_timeline_html(
			frame.tracker.without_tracking(content, compiled.target_by_key),
			(frame.unsubscribe_url, frame.preferences_url, frame.view_url, frame.confirm_url),
		),
	)


def _cut(html: str) -> tuple[str, str, str]:
	"""Take out the marks around what the author wrote; what lies between them is what the ERP shows."""
	head, _, rest = html.partition(_CONTENT_BEGINS)
	content, _, tail = rest.rpartition(_CONTENT_ENDS)
	return head, content, tail


def _with_breaks(text: str) -> Markup:
	return Markup("<br>").join(text.splitlines())


def _unshield(shielded: ProtectedHtml, html: str) -> str:
	html = shielded.unshield(html)
	for mark, expression in _MARKS.items():
		html = html.replace(mark, expression)
	return html


def _make_footer(foot: FooterText) -> str:
	return get_template("drip_campaigns/templates/emails/drip_footer.html").render(
		unsubscribe_url=_URL_MARK if foot.has_leave_link else "",
		preferences_url=_PREFERENCES_MARK,
		view_url=_VIEW_MARK if foot.has_view_link else "",
		why=_WHY_MARK if foot.why else "",
		sender_name=_SENDER_MARK,
		postal_address=_POSTAL_MARK,
		lang=frappe.local.lang,
		dir=direction(frappe.local.lang),
	)


def _frame(html: str, *, is_document: bool, footer: str, preview: str) -> str:
	"""Give a whole document the footer before its body ends; put a fragment into the base template."""
	if is_document:
		body = _BODY.search(html)
		begin, end = body.span(1) if body else (0, len(html))
		head = html[:begin] + _make_preview(preview)
		return head + _CONTENT_BEGINS + html[begin:end] + _CONTENT_ENDS + footer + html[end:]
	styles = "".join(
		match.group(0) for match in _STYLE.finditer(html)
	)  # what cannot be inlined: media queries
	body = _BODY.search(html)
	return _inline(
		get_template("drip_campaigns/templates/emails/drip_base.html").render(
			content=styles + _CONTENT_BEGINS + (body.group(1).strip() if body else html) + _CONTENT_ENDS,
			footer=footer,
			preheader=_make_preview(preview),
			lang=frappe.local.lang or "en",
			dir=direction(frappe.local.lang),
		)
	)


def _make_preview(preview: str) -> str:
	return (
		get_template("drip_campaigns/templates/emails/drip_preview.html").render(preview=preview)
		if preview
		else ""
	)


def _inline(html: str) -> str:
	"""Move CSS into style attributes (premailer). Media queries stay in a style element, where they must be."""
	inlined = Premailer(
		html,
		keep_style_tags=bool(_DYNAMIC_CLASS.search(html)),
		strip_important=False,
		remove_classes=False,
		allow_network=False,
		allow_loading_external_files=False,
		disable_validation=True,
		cssutils_logging_level=logging.CRITICAL,
	).transform(pretty_print=False)
	# What stays of a style sheet is printed with indents, which nobody reads and every email would carry.
	return _STYLE.sub(lambda sheet: _INDENT.sub("\n", sheet.group(0)), inlined)


def _absolute(html: str) -> str:
	"""Make links to this site's own pages and files whole: an email is read elsewhere."""
	return _OWN_PATH.sub(lambda match: match.group(1) + get_url(match.group(2)), html)


def _as_jinja(text: str) -> str:
	"""Return Jinja that prints `text` as it is: what an administrator writes there is no template."""
	return text.replace("{", "{{ '{' }}")


def _make_text(html: str, foot: FooterText) -> str:
	seen = _HIDDEN.sub("", without_head_parts(html))
	shielded = protect_jinja(_absolute(seen), text_environment(), visible=True)
	# Tables in emails are layout: rows become paragraphs, so that no grid of pipes is left.
	rows = _TABLE_PART.sub(" ", _ROW.sub(r"<\1p>", shielded.html))
	body = shielded.unshield(html2text(rows, wrap=False).strip())
	why = _as_jinja(_(foot.why)) + "\n" if foot.why else ""
	view = f"{_('View in browser')}: {{{{ view_url }}}}\n" if foot.has_view_link else ""
	link = f"{_('Unsubscribe')}: {{{{ unsubscribe_url }}}}\n" if foot.has_leave_link else ""
	choose = f"{_('Choose what you get')}: {{{{ preferences_url }}}}\n"
	sender = "{% if sender_name %}{{ sender_name }}\n{% endif %}"
	return f"{body}\n\n-- \n{why}{view}{link}{choose}{sender}{{{{ postal_address }}}}"
