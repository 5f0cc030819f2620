"""The form of a step that is an action: what is chosen is offered, reads as a sentence, and is said where it is wrong."""

import json

import frappe
from playwright.sync_api import expect

from tests import factories
from tests.browser.desk import ROW, Desk
from tests.factories import step

GRID = ".frappe-control[data-fieldname='steps']"


def action(kind: str, days: int = 0, **fields) -> dict:
	"""Return the values of a step that is an action."""
	return {"step_type": "Action", "action": kind, "send_after_days": days, **fields}


def pick(desk: Desk, fieldname: str, text: str, option: str = "") -> None:
	"""Type into a field of the open row that offers something, and take what it offers."""
	field = desk.field(fieldname, ROW)
	field.click()
	desk.settle()  # the offers for the empty text have come, and can't replace those for the typed one
	field.fill(text)
	offered = desk.page.locator(f"{ROW} .awesomplete li:visible, {ROW} .awesomplete [role='option']:visible")
	offered.filter(has_text=option or text).first.click()
	desk.settle()


def select(desk: Desk, fieldname: str, value: str) -> None:
	"""Choose one of the values of a Select in the open row."""
	desk.page.locator(f"{ROW} [data-fieldname='{fieldname}'] select:visible").first.select_option(value)
	desk.settle()


def set_status_of_contact(desk: Desk) -> None:
	"""Let the fifth step, which sets a Contact's department, set its status to one that the field has."""
	desk.open_row(5)
	expect(desk.field("action_field", ROW)).to_have_value("Department")
	pick(desk, "action_field", "status", "status")
	expect(desk.field("action_field", ROW)).to_have_value("Status")
	select(desk, "picked_value", "Replied")
	desk.shoot("action-set-field")
	desk.close_row()


def let_users_take_turns(desk: Desk, user: str) -> None:
	"""Let the third step assign its ToDo to users in turn, who are picked."""
	desk.open_row(3)
	select(desk, "assign_to", "Round Robin")
	desk.page.locator(f"{ROW} [data-fieldname='choose_users'] button").click()
	desk.settle()
	row = desk.page.locator(".modal.show .grid-row[data-idx='1']")
	row.locator("[data-fieldname='user']").first.click()
	row.locator("input[data-fieldname='user']").fill(user[:6])
	desk.page.locator(".modal.show [role='option']:visible", has_text="Robin").first.click()
	desk.settle()
	desk.shoot("action-users")
	desk.page.locator(".modal.show .btn-modal-primary:visible").click()
	desk.settle()
	expect(desk.page.locator(f"{ROW} textarea[data-fieldname='action_users']")).to_have_value(user)
	desk.close_row()


def make_a_todo_of_values(desk: Desk) -> None:
	"""Let the second step make a ToDo, whose mandatory field is asked for."""
	desk.open_row(2)
	select(desk, "action", "Create Document")
	pick(desk, "action_doctype", "ToDo")
	expect(desk.page.locator(f"{ROW} [data-fieldname='values_area']")).to_contain_text(
		"Required: Description"
	)
	desk.page.locator(f"{ROW} [data-fieldname='set_values'] button").click()
	desk.settle()
	values = desk.page.locator(".modal.show .grid-row[data-idx='1']")
	expect(values).to_contain_text("Description")
	values.locator("[data-fieldname='value']").click()
	values.locator("input[data-fieldname='value']").fill("Call {{ recipient.full_name }}")
	desk.shoot("action-values")
	desk.page.locator(".modal.show .btn-modal-primary:visible").click()
	desk.settle()
	expect(desk.page.locator(f"{ROW} [data-fieldname='values_area']")).to_contain_text("Call {{ recipient")
	desk.shoot("action-create")


def test_action_reads_as_a_sentence_and_its_form_offers_what_there_is(desk: Desk):
	user = factories.make_user("robin", "Drip User")
	campaign = factories.make_campaign(
		step(0, "Welcome to us", label="Welcome"),
		action("Add Tag", 2, action_tag="Warm"),
		action(
			"Assign ToDo",
			3,
			assign_to="Record's Owner",
			action_text="Call {{ recipient.full_name }}",
			wait_for_todo=1,
		),
		step(7, "Our offer"),
		action("Set Field", 9, action_doctype="Contact", action_field="department", action_value="Sales"),
		action(
			"Remove Tag",
			1,
			action_tag="Warm",
			run_when="On Exit",
			on_exit_reason="Unsubscribed",
		),
	)
	frappe.db.commit()
	call = "Assign “Call [full name]” to the record's owner, and wait until it is closed"
	assert [row.sentence for row in campaign.steps][1:3] == ["Add the tag “Warm”", call]

	desk.open(f"drip-campaign/{campaign.name}")
	desk.page.locator(GRID).scroll_into_view_if_needed()
	desk.shoot("action-steps")
	line = desk.page.locator(".drip-line").first
	for place in (line, desk.page.locator(GRID)):
		expect(place).to_contain_text("Add the tag “Warm”")
		expect(place).to_contain_text(call)
	expect(line.locator("li")).to_have_count(5)
	leavers = desk.page.locator(".drip-leavers")
	expect(leavers).to_have_text("On exit (Unsubscribed): Remove the tag “Warm” · 1 day later")

	set_status_of_contact(desk)
	expect(line).to_contain_text("Set Status to “Replied”")
	let_users_take_turns(desk, user)
	expect(line).to_contain_text("one of Robin in turn")
	make_a_todo_of_values(desk)
	desk.close_row()
	desk.save()

	frappe.db.rollback()
	made, status = campaign.reload().steps[1], campaign.steps[4]
	assert json.loads(made.action_values) == {"description": "Call {{ recipient.full_name }}"}
	assert (status.action_field, status.action_value) == ("status", "Replied")
	assert status.sentence == "Set Status to “Replied”"

	desk.open_row(5)
	desk.page.locator(f"{ROW} [data-fieldname='action_value_area'] a", has_text="Fill it").click()
	desk.fill("action_value", "Hot", ROW)
	desk.close_row()
	desk.page.keyboard.press("Control+s")
	expect(desk.page.locator(".msgprint")).to_contain_text(
		"Step 5: “Hot” isn't an option for Status. Choose one of"
	)
	desk.shoot("action-refused")
	assert not desk.errors
