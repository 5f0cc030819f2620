"""Texts that try to read what they may not, or to stop the site: a table, fields by level, and what a fuzzer invents."""

import json
import re
import time
from pathlib import Path

import frappe
import pytest
from frappe.custom.doctype.property_setter.property_setter import make_property_setter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from drip_campaigns.api import desk
from drip_campaigns.campaign import lifecycle
from drip_campaigns.campaign.preview import PreviewError, render_step
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.rendering.templates import find_problem, html_environment
from drip_campaigns.rendering.text_functions import ARGUMENTS, TextFunctionError
from tests import factories
from tests.factories import DOMAIN, step
from tests.hostile_texts import list_texts

FAMILIES = sorted({family for family, _text in list_texts()})
CANARIES = ("CanaryKey", "CanaryFile", "CanaryPerson", "CanarySecret")
MOST_SECONDS, MOST_MEGABYTES = 2, 200
FIELD = "department"  # of Contact, of a level of its own in some tests
LEVEL = 7


@pytest.fixture
def canaries(site):
	"""A key of a user, a private file, and another person, that no text may tell."""
	for user in ("Administrator", factories.make_user("canary")):
		frappe.db.set_value(
			"User", user, {"api_key": f"CanaryKey{user}", "reset_password_key": "CanarySecret"}
		)
	file = frappe.get_doc(doctype="File", file_name="canary.txt", is_private=1, content="CanaryFile").insert(
		ignore_permissions=True
	)
	factories.make_contact("CanaryPerson", f"other@{DOMAIN}")
	frappe.db.commit()
	yield
	file.delete()
	frappe.db.set_value("User", "Administrator", {"api_key": None, "reset_password_key": None})
	frappe.db.commit()


def peak_megabytes() -> float:
	"""Return the most memory that this process had since `forget_peak`."""
	with open("/proc/self/status", encoding="ascii") as status:
		return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def forget_peak() -> None:
	"""Let `peak_megabytes` count from now on."""
	with open("/proc/self/clear_refs", "w", encoding="ascii") as peak:
		peak.write("5")


def preview(campaign, text: str, contact: str) -> str:
	"""Return all that a preview of a text shows, also if it is refused."""
	row = campaign.steps[0]
	row.update({"message": text, "subject": text[:140], "preview_text": ""})
	try:
		return json.dumps(render_step(campaign, row.name, "Contact", contact))
	except PreviewError as error:
		return str(error)


def test_table_has_at_least_200_texts():
	assert len(set(list_texts())) >= 200


@pytest.mark.parametrize("family", FAMILIES)
def test_no_text_of_the_table_tells_a_canary_or_costs_much(family, canaries, clock):
	campaign, contact = factories.make_campaign(step(0)), factories.make_contact("Ada").name
	preview(campaign, "{{ doc.first_name }}", contact)  # what is loaded is loaded

	for text in (text for own, text in list_texts() if own == family):
		forget_peak()
		before, began = peak_megabytes(), time.process_time()
		shown = preview(campaign, text, contact)
		seconds, megabytes = time.process_time() - began, peak_megabytes() - before

		assert not [one for one in CANARIES if one in shown], text[:200]
		assert seconds < MOST_SECONDS and megabytes < MOST_MEGABYTES, (text[:200], seconds, megabytes)
		assert "takes too long" not in shown, text[:200]  # only the main thread of a worker has a timer


def test_every_text_of_the_table_can_be_checked_before_it_is_saved(site):
	rights, types = FieldRights("Administrator"), available_types()

	for _family, text in list_texts():
		began = time.process_time()
		find_problem(text, types, rights)
		assert time.process_time() - began < MOST_SECONDS, text[:200]


@pytest.mark.parametrize(
	"text",
	[
		"{{ 1 // 0 }}",
		"{{ doc.nothing }}",
		"{{ nothing }}",
		"{{ 'a' + 1 }}",
		"{{ [1][5] }}",
		"{{ {}['a'] }}",
		"{{ 1|nothing }}",
		"{{ 1 is nothing }}",
		"{{ 'x'|int(base=99) }}",
		"{{ '{}'.format() }}",
		"{{ '%d' % 'x' }}",
		"{{ doc|tojson }}",
		"{{ frappe.utils.getdate('x') }}",
		"{{ frappe.utils.add_days('x', 'y') }}",
		"{{ frappe.format('x', 'Date') }}",
		"{{ frappe.utils.flt(1, 'x') }}",
		"{{ tracking_url('x') }}",
		"{{ range }}",
		"{% for %}",
		"{{",
	],
)
def test_preview_of_a_text_that_fails_says_why_and_is_no_error_of_the_server(text, site, clock):
	campaign = factories.make_campaign(step(0))
	frappe.db.set_value("Drip Campaign Step", campaign.steps[0].name, "message", f"<p>{text}</p>")

	with pytest.raises(frappe.ValidationError) as caught:
		desk.preview_step(campaign.name, campaign.steps[0].name)

	assert "Step 1 cannot be rendered for" in str(caught.value)


def test_one_text_changes_no_function_of_the_next(site):
	environment = html_environment()

	for change in (
		"{% set _ = 1 %}",
		"{% set range = 1 %}",
		"{% macro dict() %}{% endmacro %}",
		"{% set frappe = 1 %}",
	):
		environment.from_string(change).render()

	text = "{{ _('a') }}{{ range(2)|list }}{{ dict(a=1)['a'] }}{{ frappe.utils.cint('7') }}"
	assert environment.from_string(text).render() == "a[0, 1]17"


@pytest.fixture
def level(site):
	"""Move the field of Contact to a level that only the Administrator may read; the test calls it when it wants."""
	made = []

	def move() -> None:
		made.append(
			make_property_setter(
				"Contact", FIELD, "permlevel", LEVEL, "Int", validate_fields_for_doctype=False
			)
		)
		frappe.clear_cache(doctype="Contact")
		frappe.db.commit()

	yield move
	frappe.set_user("Administrator")
	for setter in made:
		setter.delete()
	frappe.clear_cache(doctype="Contact")
	frappe.db.commit()


def own(campaign, user: str):
	"""Make a user the owner of a campaign."""
	campaign.db_set("owner", user)
	frappe.db.commit()
	return campaign.reload()


READING = (
	"{{ doc.department }}",
	"{{ doc['department'] }}",
	"{{ doc.get('department') }}",
	"{{ doc.get_formatted('department') }}",
	"{{ doc|attr('department') }}",
	"{{ [doc]|map(attribute='department')|join }}",
	"{{ doc['dep' ~ 'artment'] }}",
	"{{ doc.department or 'none' }}",
	"{% if doc.department is defined %}x{% endif %}",
	"{{ [doc]|selectattr('department')|list|length }}",
)


@pytest.mark.parametrize("text", READING)
def test_no_way_leads_to_a_field_that_the_owner_may_not_read(text, site, clock, level):
	owner = factories.make_user("reader", "Drip Manager", "Sales Manager", "Sales User")
	campaign = own(factories.make_campaign(step(0)), owner)
	contact = factories.make_contact("Ada", department="CanaryPlace")
	readable = preview(campaign, text, contact.name)
	level()

	refused = preview(campaign, text, contact.name)

	assert "cannot be rendered" not in readable
	assert f"{owner} may not read department of Contact" in refused and "CanaryPlace" not in refused


def test_preview_tells_nobody_what_they_may_not_read_themselves(site, clock, level):
	campaign = factories.make_campaign(step(0, "Hi", "<p>{{ doc.department }}</p>"))
	contact = factories.make_contact("Ada", department="CanaryPlace")
	level()
	user = factories.make_user("nosy", "Drip Manager", "Sales Manager", "Sales User")

	frappe.set_user(user)
	with pytest.raises(frappe.ValidationError) as caught:
		desk.preview_step(campaign.name, campaign.steps[0].name, "Contact", contact.name)

	assert f"{user} may not read department of Contact" in str(caught.value)


def test_secrets_are_read_by_no_text_even_if_its_owner_may_read_them(canaries, clock):
	campaign = factories.make_campaign(step(0))
	user = f"canary@{DOMAIN}"
	row = campaign.steps[0]
	row.message = "<p>{{ doc.first_name }}</p>"
	shown = render_step(campaign, row.name, "User", user)

	for field in ("api_key", "reset_password_key"):
		row.message = f"<p>{{{{ doc.{field} }}}}</p>"
		with pytest.raises(PreviewError, match=f"No campaign can read {field} of User"):
			render_step(campaign, row.name, "User", user)

	assert "Canary" in shown["html"]


def test_text_with_a_field_that_its_author_may_not_read_is_refused_when_it_is_saved(site, level):
	level()
	user = factories.make_user("author", "Drip Manager", "Sales Manager", "Sales User")
	campaign = factories.make_campaign(step(0, "Hi", "<p>{{ doc.department }}</p>"))
	frappe.db.commit()
	frappe.set_user(user)
	campaign.reload()

	campaign.description = "The Administrator's text stays"
	campaign.save()
	campaign.steps[0].subject = "Hello {{ doc.get('department') }}"
	with pytest.raises(frappe.ValidationError) as caught:
		campaign.save()
	with pytest.raises(frappe.ValidationError) as own_one:
		factories.make_campaign(step(0, "Hi", "<p>{{ doc.department }}</p>"))

	assert f"{user} may not read department of Contact" in str(caught.value)
	assert f"{user} may not read department of Contact" in str(own_one.value)


CONDITIONS = (
	{"kind": "field", "field": FIELD, "operator": "=", "value": "x"},
	{"kind": "expression", "expression": "doc.department == 'x'"},
	{"kind": "expression", "expression": "doc.get('dep' + 'artment') == 'x'"},
)


@pytest.mark.parametrize(
	"row",
	[
		step(0, "Hi", "<p>{{ doc.department }}</p>"),
		*(step(0, conditions=json.dumps({"match": "all", "tests": [test]})) for test in CONDITIONS),
	],
	ids=["text", "condition", "expression", "hidden expression"],
)
def test_running_campaign_whose_owner_loses_a_field_is_paused_with_the_reason_and_loses_nothing(
	row, site, smtp, clock, level
):
	owner = factories.make_user("loser", "Drip Manager", "Sales Manager", "Sales User")
	campaign = own(factories.make_campaign(row), owner)
	lifecycle.activate(campaign, clock.now)
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", department="x"), clock)
	level()
	before = enrollment.reload().as_dict()

	factories.run(clock)

	campaign.reload()
	assert campaign.status == "Paused"
	assert f"Step 1: {owner} may not read department of Contact" in campaign.pause_reason
	assert enrollment.reload().as_dict() == before
	assert not smtp.messages


def test_reading_fields_of_a_batch_costs_as_many_statements_as_of_one(site, smtp, clock):
	owner = factories.make_user("counter", "Drip Manager", "Sales Manager", "Sales User")
	flow = {"conditions": json.dumps({"match": "all", "tests": [CONDITIONS[1]]})}
	campaign = own(
		factories.make_campaign(step(0, "Hi", "<p>{{ doc.department }}</p>", **flow), step(9)), owner
	)
	lifecycle.activate(campaign, clock.now)
	counts = []

	for size in (1, 1, 15):
		for _person in range(size):
			factories.enroll(campaign, factories.make_contact(department="x"), clock)
		with factories.count_statements() as statements:
			dispatch_due.dispatch(clock.now, enqueue_delivery=False)
		counts.append(statements.count)

	assert counts[1] == counts[2]


PIECES = st.sampled_from(
	(
		*(
			"doc",
			"recipient",
			"frappe.utils",
			"frappe",
			"_",
			"range(9)",
			"'a'",
			"1",
			"[1, 2]",
			"{}",
			"namespace()",
			"self",
		),
		*(
			"doc.first_name",
			"doc.get",
			"9**9",
			"'x' * 9000",
			"''|attr",
			"cycler",
			"loop",
			"none",
			"tracking_url",
			"dict",
		),
	)
)
FORMS = st.sampled_from(
	(
		*(
			"{0} ~ {1}",
			"{0} + {1}",
			"{0} * {1}",
			"{0} % {1}",
			"{0} ** {1}",
			"({0})[{1}]",
			"({0})({1})",
			"({0}).format({1})",
		),
		*(
			"[{0}, {1}]",
			"({0})|join({1})",
			"({0})|replace({1}, {0})",
			"({0})|center({1})",
			"({0})|map({1})|list",
		),
		*(
			"({0})|attr({1})",
			"({0}).join({1})",
			"({0}) in ({1})",
			"({0}) == ({1})",
			"({0})|batch({1})|list",
			"({0})[1:]",
		),
		*(
			"({0})|tojson",
			"({0})|string",
			"({0}) if ({1}) else 1",
			"({0})|round({1})",
			"({0})|default({1})",
			"({0}).items()",
		),
	)
)
VALUES = st.recursive(
	PIECES, lambda inner: st.builds(lambda form, a, b: form.format(a, b), FORMS, inner, inner), max_leaves=10
)
BLOCKS = st.sampled_from(
	(
		*("{{{{ {0} }}}}", "{{% if {0} %}}x{{% endif %}}", "{{% for a in {0} %}}{{{{ {1} }}}}{{% endfor %}}"),
		*(
			"{{% set a = {0} %}}{{{{ a }}}}",
			"{{% macro m(a) %}}{{{{ {0} }}}}{{{{ m({1}) }}}}{{% endmacro %}}{{{{ m(1) }}}}",
		),
	)
)
TEXTS = st.builds(lambda block, a, b: block.format(a, b), BLOCKS, VALUES, VALUES) | st.text(
	"{}%# '\"|()[].ax1", max_size=60
)


@given(text=TEXTS)
@settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_ends_soon_with_a_text_or_an_error_and_tells_nothing(text, connected_site):
	began = time.process_time()

	try:
		shown = html_environment().from_string(text).render(doc={"first_name": "Ada"}, recipient={})
	except Exception as error:  # noqa: BLE001 - how a text fails is its own matter
		shown = str(error)

	assert time.process_time() - began < MOST_SECONDS
	assert frappe.conf.db_password not in shown


def test_functions_of_the_docs_are_those_of_the_code():
	page = (Path(__file__).parents[2] / "docs" / "guide" / "texts.md").read_text(encoding="utf-8")
	listed = page.partition("The names after `frappe.utils.`:")[2].partition("Frappe's documentation")[0]

	assert set(re.findall(r"`(\w+)`", listed)) == set(ARGUMENTS)


EXAMPLES = re.findall(
	r"^\| `(\{\{ .+? \}\})` \| (.+?) \|$",
	(Path(__file__).parents[2] / "docs" / "guide" / "texts.md")
	.read_text(encoding="utf-8")
	.partition("### Examples")[2],
	flags=re.MULTILINE,
)


@pytest.mark.parametrize(("text", "expected"), EXAMPLES)
def test_example_of_the_docs_prints_what_the_docs_say(text, expected, site):
	assert html_environment().from_string(text.replace("\\|", "|")).render() == expected


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_each_function_takes_plain_values_and_nothing_else(name, site):
	environment = html_environment()

	for argument in ("doc", "frappe", "namespace()", "[doc]", "{'a': 1}", "range"):
		with pytest.raises((TextFunctionError, UndefinedError)):
			environment.from_string(f"{{{{ frappe.utils.{name}({argument}) }}}}").render(doc=object())
	with pytest.raises(TextFunctionError):
		environment.from_string(f"{{{{ frappe.utils.{name}(nonsense=1) }}}}").render()
