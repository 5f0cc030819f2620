"""Compile a step's text into templates, once per step: frame it, inline its CSS, count its links, make its plain text.

Compiling does all the work that is the same for every recipient. HTML tools would change Jinja, so placeholders take its
place while they run. `render_email.py` fills the templates for each recipient.
"""

import dataclasses
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, zip_longest

import frappe
from frappe import _
from frappe.core.utils import html2text
from frappe.utils.caching import request_cache
from frappe.utils.jinja import get_template
from jinja2 import Environment, Template, TemplateSyntaxError, nodes
from premailer import Premailer

from drip_campaigns.core.tracking.links import LinkRules, Target, hide_links, rewrite_links, show_links
from drip_campaigns.rendering.footer import Footer
from drip_campaigns.rendering.jinja_placeholders import ProtectedHtml, protect_jinja
from drip_campaigns.rendering.markup_limits import MarkupError, check_markup
from drip_campaigns.rendering.step_text import StepText
from drip_campaigns.rendering.templates import html_environment, text_environment
from drip_campaigns.rendering.timeline_html import without_head_parts
from drip_campaigns.site.languages import direction
from drip_campaigns.site.public_address import public_url
from drip_campaigns.site.settings import footer_reason

EMAIL_TEMPLATES = "drip_campaigns/templates/emails"
NO_RULES = LinkRules()
PREVIEW_MARK = "drip-preview-text"
CONTENT_BEGINS, CONTENT_ENDS = "<!--drip-content-begins-->", "<!--drip-content-ends-->"
_PICTURE = '<img src="{{ open_url }}" width="1" height="1" alt="" style="display:block;width:1px;height:1px">'
_BODY = re.compile(r"<body\b[^>]*>(.*?)(?:</body\s*>|\Z)", re.IGNORECASE | re.DOTALL)
# The plain text leaves out what the author hides from view, which is mostly a preview text.
_HIDDEN = re.compile(
	r"<(div|span|p)\b[^>]*\bstyle\s*=\s*[\"'][^\"']*display\s*:\s*none[^>]*>.*?</\1\s*>",
	re.IGNORECASE | re.DOTALL,
)
_STYLE = re.compile(r"<style\b.*?</style\s*>", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_DATA_IMAGE = re.compile(r"<img\b[^>]*\bsrc\s*=\s*[\"']?\s*data:[^>]*>", re.IGNORECASE)
_INDENT = re.compile(r"\n\s+")
_DOCUMENT = re.compile(r"<(html|body)\b", re.IGNORECASE)
_OWN_PATH = re.compile(r"((?:href|src|background)\s*=\s*[\"'])(/(?!/)[^\"']*)", re.IGNORECASE)
_ROW = re.compile(r"<(/?)tr\b[^>]*>", re.IGNORECASE)
_TABLE_PART = re.compile(r"</?(table|thead|tbody|tfoot|caption|colgroup|col|td|th)\b[^>]*>", re.IGNORECASE)
_DYNAMIC_CLASS = re.compile(r"class\s*=\s*[\"'][^\"']*dripj\d+x", re.IGNORECASE)


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


def compile_step(
	text: StepText,
	footer_language: str | None = None,
	*,
	has_view_link: bool = False,
	has_unsubscribe_link: bool = True,
	links: LinkRules = NO_RULES,
) -> CompiledStep:
	"""Return a step's templates. This is the costly part; it is cached per job, language, and site URL.

	The footer is in `footer_language`, the recipient's. Unless `has_unsubscribe_link` is false, it has the link to
	unsubscribe if the text has none. Raises TemplateSyntaxError, and MarkupError for HTML that cannot be used.
	"""
	check_markup(text.html)
	lang = frappe.local.lang or "en"
	footer = Footer(footer_language or lang, has_view_link, has_unsubscribe_link, footer_reason())
	try:
		return _compile(text, lang, public_url(), footer, links)
	except (RecursionError, LookupError, AttributeError, ValueError) as error:  # of the tools that read HTML
		raise MarkupError(_("its HTML or CSS cannot be read ({0})").format(error)) from error


@request_cache
def _compile(text: StepText, lang: str, site_url: str, footer: Footer, links: LinkRules) -> CompiledStep:
	for_html, for_text = html_environment(), text_environment()
	if _shows_unsubscribe_link(text.html, for_html):
		footer = dataclasses.replace(footer, has_unsubscribe_link=False)
	protected = protect_jinja(_keep_beginning(text.html), for_html)
	# Inlined before it is framed, so that the author's style sheet does not change the footer
	hidden_html, hidden = hide_links(_make_urls_absolute(protected.html))
	inlined = _inline_css(hidden_html)
	preview = PREVIEW_MARK if text.preview.strip() else ""
	framed = _frame(inlined, bool(_DOCUMENT.search(text.html)), footer.render_html(), preview)
	linked, targets = _count_links(framed, links, protected, hidden)
	html = footer.replace_marks(protected.restore(linked).replace(PREVIEW_MARK, "{{ preview_text }}"))
	plain = f"{_make_plain_text(text.html)}\n\n{footer.render_plain()}"
	return CompiledStep(
		subject=_make_template(for_text, text.subject),
		html=_make_template(for_html, html),
		text=_make_template(for_text, plain),
		preview=_make_template(for_text, text.preview) if preview else None,
		targets=targets,
		has_view_link=any("view_url" in source for source in (text.subject, html, plain, text.preview)),
	)


def _keep_beginning(html: str) -> str:
	"""Put a text that begins with a statement into a body: of a comment before it, HTML tools keep nothing."""
	return f"<body>{html}</body>" if html.lstrip().startswith("{%") and not _DOCUMENT.search(html) else html


def _shows_unsubscribe_link(html: str, environment: Environment) -> bool:
	"""Return whether every recipient sees the link to unsubscribe in the text, outside comments and conditions."""
	try:
		tree = environment.parse(_COMMENT.sub("", html))
	except TemplateSyntaxError:  # a comment holds one half of a statement
		tree = environment.parse(html)
	printed = [node for node in tree.body if isinstance(node, nodes.Output)]
	return any(name.name == "unsubscribe_url" for node in printed for name in node.find_all(nodes.Name))


def _count_links(
	html: str, links: LinkRules, protected: ProtectedHtml, hidden: Sequence[str]
) -> tuple[str, tuple[Target, ...]]:
	"""Rewrite the author's links and add the tracking pixel after the text. The footer's links are not counted."""
	environment = html_environment()

	def restore_jinja(url: str) -> str | None:
		restored = protected.restore(url)
		try:
			environment.parse(restored)
		except TemplateSyntaxError:  # one half of a statement
			return None
		return restored

	head, content, tail = cut_out_content(html)
	content, targets = rewrite_links(content, links, restore_jinja, hidden)
	picture = _PICTURE if links.counts else ""
	head, tail = (_use_references(show_links(part, hidden)) for part in (head, tail))
	return f"{head}{CONTENT_BEGINS}{content}{CONTENT_ENDS}{picture}{tail}", targets


def cut_out_content(html: str) -> tuple[str, str, str]:
	"""Return what is before, between, and after the marks around the author's text."""
	head, _, rest = html.partition(CONTENT_BEGINS)
	content, _, tail = rest.rpartition(CONTENT_ENDS)
	return head, content, tail


def _use_references(html: str) -> str:
	"""Write characters outside ASCII as references, except in style sheets.

	An email in ASCII is sent as it is. Quoted-printable makes HTML a fifth longer.
	"""
	pieces = (piece.encode("ascii", "xmlcharrefreplace").decode() for piece in _STYLE.split(html))
	return "".join(chain(*zip_longest(pieces, _STYLE.findall(html), fillvalue="")))


def _make_template(environment: Environment, source: str) -> Template:
	template = environment.from_string(source)
	# Jinja copies its globals for every email; from a plain dict that takes a tenth of the time.
	template.globals = dict(template.globals)
	return template


def _frame(html: str, is_document: bool, footer: str, preview: str) -> str:
	"""Add the footer to a whole document before its body ends; put a fragment into the base template."""
	body = _BODY.search(html)
	if is_document:
		begin, end = body.span(1) if body else (0, len(html))
		head = html[:begin] + _render_preview(preview)
		return head + CONTENT_BEGINS + html[begin:end] + CONTENT_ENDS + footer + html[end:]
	styles = "".join(_STYLE.findall(html))  # media queries, which cannot be inlined
	content = body.group(1).strip() if body else html
	lang = frappe.local.lang or "en"
	return _inline_css(
		get_template(f"{EMAIL_TEMPLATES}/drip_base.html").render(
			content=styles + CONTENT_BEGINS + content + CONTENT_ENDS,
			footer=footer,
			preheader=_render_preview(preview),
			lang=lang,
			dir=direction(lang),
		)
	)


def _render_preview(preview: str) -> str:
	return get_template(f"{EMAIL_TEMPLATES}/drip_preview.html").render(preview=preview) if preview else ""


def _inline_css(html: str) -> str:
	"""Move CSS into style attributes with premailer. Media queries stay in a style element, where they must be."""
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
	# Remove the indents of the style sheets that remain, which only make every email longer.
	return _STYLE.sub(lambda sheet: _INDENT.sub("\n", sheet.group(0)), inlined)


def _make_urls_absolute(html: str) -> str:
	"""Return HTML whose links to this site's pages and files work from an inbox."""
	return _OWN_PATH.sub(lambda match: match.group(1) + public_url(match.group(2)), html)


def _make_plain_text(html: str) -> str:
	visible = _DATA_IMAGE.sub("", _HIDDEN.sub("", without_head_parts(html)))
	protected = protect_jinja(_make_urls_absolute(visible), text_environment(), visible=True)
	# Tables in emails are layout: rows become paragraphs, so that no grid of pipes is left.
	rows = _TABLE_PART.sub(" ", _ROW.sub(r"<\1p>", protected.html))
	return protected.restore(html2text(rows, wrap=False).strip())
