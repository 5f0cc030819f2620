"""The footer of every email, in HTML and plain text: why it is sent, the recipient's links, and who sends it.

The texts are in `templates/emails/drip_footer.html` and `drip_footer.txt`, side by side. A footer is rendered once per
step. It holds Jinja for the values of each recipient, which are filled in later.
"""

from dataclasses import dataclass

import frappe
from frappe import _
from frappe.utils.jinja import get_template
from markupsafe import escape

from drip_campaigns.site.languages import direction, use_language

TEMPLATE = "drip_campaigns/templates/emails/drip_footer"
# The template's variables for each recipient's values, and the Jinja that prints the value
PLAIN_JINJA = {
	"unsubscribe_url": "{{ unsubscribe_url }}",
	"preferences_url": "{{ preferences_url }}",
	"view_url": "{{ view_url }}",
	"postal_address": "{{ postal_address }}",
	"sender_name": "{% if sender_name %}{{ sender_name }}\n{% endif %}",
}
HTML_JINJA = {**PLAIN_JINJA, "sender_name": "{% if sender_name %}{{ sender_name }}<br>{% endif %}"}
# HTML tools rewrite Jinja, so HTML has a mark in its place until they have run
MARKS = {name: f"drip-footer-{name.replace('_', '-')}" for name in (*HTML_JINJA, "why")}


@dataclass(frozen=True)
class Footer:
	"""What a footer contains: the language of its texts, its links, and the reason from Drip Settings."""

	language: str
	has_view_link: bool
	has_unsubscribe_link: bool
	why: str

	def render_html(self) -> str:
		"""Return the HTML, with marks that `replace_marks` turns into Jinja."""
		return self._render("html", MARKS)

	def replace_marks(self, html: str) -> str:
		"""Return an email's HTML with Jinja in place of the footer's marks."""
		with use_language(self.language):
			jinja = {**HTML_JINJA, "why": _as_jinja(str(escape(_(self.why))))}
		for name, mark in MARKS.items():
			html = html.replace(mark, jinja[name])
		return html

	def render_plain(self) -> str:
		"""Return the plain text, with Jinja."""
		with use_language(self.language):
			return self._render("txt", {**PLAIN_JINJA, "why": _as_jinja(_(self.why))})

	def _render(self, suffix: str, values: dict[str, str]) -> str:
		left_out = {
			"unsubscribe_url": not self.has_unsubscribe_link,
			"view_url": not self.has_view_link,
			"why": not self.why,
		}
		with use_language(self.language):
			return get_template(f"{TEMPLATE}.{suffix}").render(
				{name: "" if left_out.get(name) else value for name, value in values.items()},
				lang=frappe.local.lang,
				dir=direction(frappe.local.lang),
			)


def _as_jinja(text: str) -> str:
	"""Return Jinja that prints `text` as it is: an administrator's text is not a template."""
	return text.replace("{", "{{ '{' }}")
