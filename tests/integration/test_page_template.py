"""The site's own look of its recipients' pages: template, style, color; and what no template can do."""

import html
import re

import frappe
import pytest

from drip_campaigns.rendering.links import Links
from tests import factories
from tests.integration.test_headers import configure
from tests.web import Browser

TEMPLATE = """<header class="own-head"><a href="https://shop.example/">{{ brand }}</a></header>
<div class="own-frame">{{ content }}</div>
{% if page == "leave" %}<p class="own-foot" style="color: red">{{ postal_address }}, {{ direction }}</p>{% endif %}"""


@pytest.fixture
def link(web, clock):
	"""The page on which Ada leaves."""
	enrollment = factories.enroll(factories.make_active_campaign(clock), factories.make_contact("Ada"), clock)
	return Links().unsubscribe(enrollment.name)


def test_template_style_and_colour_are_those_of_the_site(web, link):
	configure(
		page_template=TEMPLATE,
		page_style=".own-head { padding: 3rem }",
		page_color="#8a1c3b",
		page_brand="A & B",
	)

	page, missing = Browser(web).get(link), Browser(web).get("/drip/preferences/none")

	nonce = re.search(r"'nonce-([^']+)'", page.headers["Content-Security-Policy"]).group(1)
	assert '<a href="https://shop.example/"' in page.text
	assert "A &amp; B</a>" in page.text
	assert f'<style nonce="{nonce}">.own-head {{ padding: 3rem }}</style>' in page.text
	assert page.text.index('class="own-frame"') < page.text.index("<main>") < page.text.index("own-foot")
	assert f"{factories.POSTAL_ADDRESS}, ltr" in page.text
	assert 'class="brand"' not in page.text
	assert "--accent: #8a1c3b" in page.text
	assert "--button: #8a1c3b; --on-button: #ffffff" in page.text
	assert missing.status == 404
	assert "own-head" in missing.text
	assert "own-foot" not in missing.text


@pytest.mark.parametrize(
	("field", "value", "says"),
	[
		("page_template", "<p>no place</p>", "Add {{ content }} exactly once"),
		("page_template", "{{ content }}{{ content }}", "Add {{ content }} exactly once"),
		("page_template", "{{ content }}{{ doc.name }}", "doc is unknown"),
		("page_template", "{{ content }}{% if %}", "Template: "),
		("page_template", "{{ content }}{{ 1 / 0 }}", "division by zero"),
		("page_template", "{{ content }}<script>alert(1)</script>", "Remove the element “script”"),
		(
			"page_template",
			"<form action='https://evil.example'>{{ content }}</form>",
			"Remove the element “form”",
		),
		("page_template", "{{ content }}" + "x" * 20_001, "Shorten it"),
		("page_style", "</style><script>alert(1)</script>", "Remove all < characters"),
		("page_style", "@import 'https://evil.example';", "@import rules"),
		("page_color", "red; } body { display: none", "Enter a color"),
		(
			"page_color",
			"#fce100",
			"#fce100 has a contrast of 1.2:1 on the page, but readable text needs 4.5:1. Choose a darker color.",
		),
	],
)
def test_what_cannot_be_used_is_refused_in_words(site, field, value, says):
	with pytest.raises(frappe.ValidationError) as caught:
		configure(**{field: value})

	assert says in html.unescape(str(caught.value))  # Desk shows the message as HTML


def test_whatever_stands_in_the_database_the_page_works_and_nothing_acts(web, link):
	evil = (
		"<img src=x onerror=alert(1)><script>alert(2)</script><a href='javascript:alert(3)'>{{ content }}</a>"
	)
	for template in (
		evil,
		"{{ content.__class__.__mro__ }}",
		"{% for x in range(10**9) %}",
		"{{ 1 / 0 }}",
		"nothing",
	):
		frappe.db.set_single_value("Drip Settings", "page_template", template)
		frappe.db.set_single_value("Drip Settings", "page_style", "</style><script>alert(4)</script>")
		frappe.db.commit()
		frappe.clear_document_cache("Drip Settings", "Drip Settings")

		page = Browser(web).get(link)

		assert page.status == 200
		assert "Unsubscribe from this series" in page.text
		assert not re.search(r"<script|onerror=|javascript:|__mro__|&lt;class", page.text)
