"""Links of an email: which are counted, what stays as it is, where they may lead."""

import re

import pytest

from drip_campaigns.core.tracking.links import (
	LinkRules,
	hide_links,
	leads_to_the_web,
	rewrite_links,
	show_links,
	with_parameters,
)

RULES = LinkRules("step", counts=True, own_root="https://erp.example/drip/")
UTM = (("utm_source", "drip mail"), ("utm_campaign", "spring"))


def rewrite(html: str, rules: LinkRules = RULES):
	"""Rewrite HTML in which `dripj0x` hides Jinja, as the shield does."""
	return rewrite_links(html, rules, lambda url: url.replace("dripj0x", "{{ doc.name }}"))


def test_link_to_the_web_is_counted_under_a_key_of_its_own_and_keeps_everything_else():
	html, targets = rewrite('<p><a class="b" href="https://a.example/x?a=1&amp;b=2" id="i">A</a></p>')

	assert [target.target for target in targets] == ["https://a.example/x?a=1&b=2"]
	assert html == f'<p><a class="b" href="{{{{ click_url }}}}/{targets[0].key}" id="i">A</a></p>'


def test_same_link_twice_is_one_target_and_another_step_has_another():
	link = '<a href="https://a.example/">A</a>'

	_html, twice = rewrite(link * 2)
	_html, elsewhere = rewrite(link, LinkRules("other step", counts=True))

	assert len(twice) == 1
	assert elsewhere[0].key != twice[0].key


@pytest.mark.parametrize(
	"tag",
	[
		'<a href="mailto:ada@example.com">',
		'<a href="tel:+49">',
		'<a href="#top">',
		'<a href="javascript:alert(1)">',
		'<a href="https://erp.example/drip/leave/token">',
		'<a href="/a/path">',
		'<a href="">',
		'<a name="here">',
		'<a href="mailto:dripj0x">',
		'<a href="https://">',
		'<link href="https://a.example/style.css">',
		'<img src="https://a.example/x.png">',
	],
)
def test_what_is_no_link_to_the_web_stays_as_it_is(tag):
	assert rewrite(tag) == (tag, ())


def test_marked_link_stays_and_loses_its_mark():
	html, targets = rewrite(
		'<a data-no-track href="https://a.example/"><a href="https://b.example" data-no-track="1">'
	)

	assert html == '<a href="https://a.example/"><a href="https://b.example">'
	assert targets == ()


@pytest.mark.parametrize("name", ["unsubscribe_url", "preferences_url", "view_url", "tracking_url('Demo')"])
def test_links_of_our_own_are_left_alone(name):
	tag = '<a href="dripj0x">'

	assert rewrite_links(tag, RULES, lambda _url: f"{{{{ {name} }}}}") == (tag, ())


def test_link_that_is_different_for_each_recipient_is_signed_when_it_is_filled():
	html, (target,) = rewrite('<a href="https://a.example/dripj0x">')

	assert (target.url, target.target) == ("https://a.example/{{ doc.name }}", "")
	assert "{% set drip_link %}https://a.example/dripj0x{% endset %}" in html
	assert f'drip_link_of(drip_link, "{target.key}")' in html


def test_half_a_statement_in_a_link_is_left_alone():
	tag = '<a href="dripj0x">'

	assert rewrite_links(tag, RULES, lambda _url: None) == (tag, ())


def test_parameters_are_added_to_links_that_are_not_counted_too():
	html, targets = rewrite('<a href="https://a.example/?utm_source=own#end">', LinkRules(utm=UTM))

	assert html == '<a href="https://a.example/?utm_source=own&amp;utm_campaign=spring#end">'
	assert targets == ()


@pytest.mark.parametrize(
	("url", "expected"),
	[
		("https://a.example", "https://a.example?utm_source=drip+mail&utm_campaign=spring"),
		(
			"https://a.example/p?q=1&utm_campaign=",
			"https://a.example/p?q=1&utm_campaign=&utm_source=drip+mail",
		),
		("https://a.example/#f?x=1", "https://a.example/?utm_source=drip+mail&utm_campaign=spring#f?x=1"),
		("https://a.example/?#", "https://a.example/?utm_source=drip+mail&utm_campaign=spring#"),
		(
			"https://a.example/?utm_source=a&utm_campaign=b#",
			"https://a.example/?utm_source=a&utm_campaign=b#",
		),
	],
)
def test_parameters_leave_the_rest_of_an_address_alone(url, expected):
	assert with_parameters(url, UTM) == expected


@pytest.mark.parametrize(
	("url", "is_fit"),
	[
		("https://a.example/ü?x=%20#y", True),
		("HTTP://a.example", True),
		("ftp://a.example", False),
		("javascript:alert(1)", False),
		("//a.example", False),
		("https://a.example/\r\nSet-Cookie: x", False),
		("https://a.example/ b", False),
		("https://a.example\\@b.example", False),
		("https://[", False),
		("http://a.example:99999/x", False),
		("http://a.example:x/", False),
		('https://a.example/?q="x"', True),
		("https://bücher.example/[1]?a={b}|c^`", True),
		("https://a.example/" + "x" * 2000, False),
		("", False),
	],
)
def test_browser_is_sent_to_whole_addresses_of_the_web_only(url, is_fit):
	assert leads_to_the_web(url) is is_fit


def test_no_link_is_forgotten_among_many():
	html, targets = rewrite("".join(f'<a href="https://a.example/{n}">{n}</a>' for n in range(200)))

	assert len(targets) == 200
	assert len(re.findall(r"click_url", html)) == 200


def test_an_address_survives_html_tools_byte_for_byte():
	urls = [
		'https://a.example/?q="x"&n=1',
		"https://a.example/?",
		"https://a.example/#",
		"https://a.example/[1]?a=%5B",
	]
	html = "".join(f"<a title='>' href='{url.replace('&', '&amp;')}'>a</a>" for url in urls)

	hidden_html, hidden = hide_links(html)
	_counted, targets = rewrite_links(hidden_html, RULES, lambda url: url, hidden)

	assert "a.example" not in hidden_html
	assert [target.target for target in targets] == urls
	assert 'href="https://a.example/?q=&quot;x&quot;&amp;n=1"' in show_links(hidden_html, hidden)


@pytest.mark.parametrize(
	("written", "read"),
	[
		("https://a.example/sp  ", "https://a.example/sp"),
		("\n https://a.example/nl\n", "https://a.example/nl"),
		("https://a.example/a b", "https://a.example/a%20b"),
		("https://a.example/a\nb", "https://a.example/ab"),
		("https://a.example/<b>", "https://a.example/%3Cb%3E"),
	],
)
def test_white_space_is_read_as_a_browser_reads_it(written, read):
	hidden_html, hidden = hide_links(f'<a href="{written}">a</a>')

	_html, (target,) = rewrite_links(hidden_html, RULES, lambda url: url, hidden)

	assert target.target == read
