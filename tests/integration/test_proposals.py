"""Edits of a live campaign by a user who may not activate it: proposed, shown side by side, released or declined."""

import json

import frappe
import frappe.client
import pytest
from frappe.desk.doctype.bulk_update.bulk_update import submit_cancel_or_update_docs
from frappe.desk.form.save import savedocs

from drip_campaigns.api import desk, enrollments, lists, proposals, variants
from drip_campaigns.campaign.proposals import DOCTYPE
from tests import factories
from tests.factories import step


@pytest.fixture
def people(site) -> dict[str, str]:
	"""A Drip Manager and two Drip Users; nobody is a System Manager."""
	yield {
		"manager": factories.make_user("manager", "Drip Manager", "Sales User"),
		"owner": factories.make_user("owner", "Drip User", "Sales User"),
		"other": factories.make_user("other", "Drip User", "Sales User"),
	}
	frappe.db.rollback()
	frappe.set_user("Administrator")


@pytest.fixture
def campaign(people, clock):
	"""A live campaign of the Drip User `owner`, with one person in it; the test acts as the owner."""
	frappe.set_user(people["owner"])
	campaign = factories.make_campaign(step(0, "Welcome"), step(2, "A tip", "<p>Old text</p>"))
	frappe.set_user(people["manager"])
	desk.activate_campaign(campaign.name)
	frappe.set_user(people["owner"])
	factories.enroll(campaign, factories.make_contact("Ada"), clock)
	return campaign.reload()


def subjects(campaign) -> list[str]:
	"""Return the live subjects."""
	filters = {"parent": campaign.name}
	return frappe.get_all("Drip Campaign Step", filters=filters, pluck="subject", order_by="idx")


def waiting(campaign):
	"""Return the one proposed change of the campaign that waits."""
	[name] = frappe.get_all(DOCTYPE, filters={"campaign": campaign.name, "status": "Waiting"}, pluck="name")
	return frappe.get_doc(DOCTYPE, name)


def propose(campaign, subject: str = "A better tip"):
	"""Propose another subject of the second step, as the session's user; return the proposed change."""
	campaign.reload()
	campaign.steps[1].subject = subject
	campaign.save()
	frappe.db.commit()
	return waiting(campaign)


def release(proposal) -> None:
	proposals.release_change(proposal.name, str(proposal.modified))


def set_by_form(campaign) -> None:
	shown = json.loads(frappe.as_json(campaign.as_dict()))
	shown["steps"][1]["subject"] = "Changed"
	savedocs(json.dumps(shown), "Save")


def set_by_child(campaign) -> None:
	frappe.client.set_value("Drip Campaign Step", campaign.steps[1].name, "subject", "Changed")


def set_by_bulk_edit(campaign) -> None:
	submit_cancel_or_update_docs(
		"Drip Campaign", [campaign.name], "update", json.dumps({"description": "Changed"})
	)


def set_by_client(campaign) -> None:
	frappe.client.set_value(
		"Drip Campaign", campaign.name, "unsubscribe_scope", "Everything from This Sender"
	)


def add_trigger(campaign) -> None:
	campaign.append("triggers", {"kind": "API Call", "event_name": "x", "recipient_type": "Contact"})
	campaign.save()


def remove_step(campaign) -> None:
	campaign.set("steps", campaign.steps[:1])
	campaign.save()


def include_list(campaign) -> None:
	target_list = factories.make_list()
	lists.include_list(target_list.name, campaign.name)


EDITS = [set_by_form, set_by_child, set_by_bulk_edit, set_by_client, add_trigger, remove_step, include_list]


def values_of(campaign) -> dict:
	"""Return all that is stored of the campaign, with its rows and its time of change."""
	return json.loads(frappe.as_json(frappe.get_doc("Drip Campaign", campaign.name).as_dict()))


@pytest.mark.parametrize("status", ["Active", "Paused"])
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_edit_of_a_live_campaign_waits_and_the_live_rows_stay(people, campaign, edit, status):
	if status == "Paused":
		desk.pause_campaign(campaign.name)
		campaign.reload()
	before = values_of(campaign)

	edit(campaign)

	assert values_of(campaign) == before
	proposal = waiting(campaign)
	assert (proposal.owner, proposal.status) == (people["owner"], "Waiting")
	frappe.set_user(people["manager"])
	release(proposal)
	assert values_of(campaign) != before


def test_saving_without_a_change_proposes_nothing(campaign):
	campaign.save()

	assert factories.count(DOCTYPE) == 0


def test_draft_is_edited_directly(people):
	frappe.set_user(people["owner"])
	campaign = factories.make_campaign(step(0, "One"))

	campaign.steps[0].subject = "Two"
	campaign.save()

	assert (subjects(campaign), factories.count(DOCTYPE)) == (["Two"], 0)


def test_manager_edits_directly(people, campaign):
	frappe.set_user(people["manager"])
	campaign.reload().steps[1].subject = "Direct"

	campaign.save()

	assert (subjects(campaign), factories.count(DOCTYPE)) == (["Welcome", "Direct"], 0)


def test_managers_are_notified_and_the_author_of_the_decision(people, campaign):
	proposal = propose(campaign)
	[note] = factories.notifications_of(people["manager"])
	frappe.set_user(people["manager"])
	release(proposal)
	frappe.db.commit()

	assert "proposes a change of campaign" in note and note.endswith(": Subject")
	[told] = factories.notifications_of(people["owner"])
	assert "released your change" in told


def test_release_is_an_ordinary_save_that_replans(people, campaign):
	enrollment = frappe.get_last_doc("Drip Enrollment", {"campaign": campaign.name})
	campaign.steps[0].send_after_days = 1
	campaign.save()
	frappe.db.commit()
	proposal, before = waiting(campaign), enrollment.reload().next_send_at
	assert before == frappe.db.get_value("Drip Enrollment", enrollment.name, "next_send_at")

	frappe.set_user(people["manager"])
	release(proposal)

	assert (enrollment.reload().next_send_at - before).days == 1
	proposal.reload()
	assert (proposal.status, proposal.decided_by) == ("Released", people["manager"])


def test_review_shows_each_change_side_by_side_as_text_and_what_it_means(people, campaign):
	campaign.steps[1].subject = "<img src=x onerror=alert(1)>"
	campaign.append("steps", step(4, "Added"))
	campaign.save()
	frappe.set_user(people["manager"])

	change = proposals.review_change(waiting(campaign).name)

	subject, added = change["rows"]
	assert (subject["place"], subject["field"]) == ("Steps, row 2: A tip", "Subject")
	assert "".join(text for text, _ in subject["old"]) == "A tip"
	assert "".join(text for text, _ in subject["new"]) == "<img src=x onerror=alert(1)>"
	assert added["field"] == "New row"
	assert "Subject: Added" in "".join(text for text, _ in added["new"])
	assert change["on_board"] == 1 and not change["has_conflicts"]
	assert any("1 will get it" in sentence for sentence in change["sentences"])


def test_conflict_is_refused_and_both_texts_are_kept(people, campaign):
	proposal = propose(campaign)
	frappe.set_user(people["manager"])
	campaign.reload().steps[1].subject = "Of the manager"
	campaign.save()

	with pytest.raises(frappe.ValidationError) as caught:
		release(proposal)

	assert "The campaign has changed since this was proposed" in str(caught.value)
	assert "It conflicts at: Subject." in str(caught.value)
	assert subjects(campaign) == ["Welcome", "Of the manager"]
	[row] = proposals.review_change(proposal.name)["rows"]
	assert (row["conflicts"], row["now"]) == (True, "Of the manager")
	assert "".join(text for text, _ in row["new"]) == "A better tip"


def test_change_elsewhere_does_not_conflict(people, campaign):
	proposal = propose(campaign)
	frappe.set_user(people["manager"])
	campaign.reload().steps[0].subject = "Of the manager"
	campaign.save()

	release(proposal)

	assert subjects(campaign) == ["Of the manager", "A better tip"]


def test_only_what_was_seen_is_released(people, campaign):
	seen = propose(campaign)
	propose(campaign, "Something else")
	frappe.set_user(people["manager"])

	with pytest.raises(frappe.ValidationError, match="edited since you opened it"):
		release(seen)

	assert subjects(campaign) == ["Welcome", "A tip"]


def test_second_edit_is_added_to_the_first(people, campaign):
	propose(campaign)
	campaign.reload().description = "New"
	campaign.save()

	proposal = waiting(campaign)
	frappe.set_user(people["manager"])
	release(proposal)

	assert subjects(campaign) == ["Welcome", "A better tip"]
	assert campaign.reload().description == "New"


def test_author_continues_a_change_with_a_new_row(people, campaign):
	campaign.append("steps", step(4, "Added"))
	campaign.save()
	opened = json.loads(frappe.as_json(proposals.open_change(waiting(campaign).name)["document"]))
	assert [row["subject"] for row in opened["steps"]] == ["Welcome", "A tip", "Added"]
	opened["steps"][2]["subject"] = "Added and corrected"

	savedocs(json.dumps({**opened, "__proposal": waiting(campaign).name}), "Save")

	proposal = waiting(campaign)
	frappe.set_user(people["manager"])
	release(proposal)
	assert subjects(campaign) == ["Welcome", "A tip", "Added and corrected"]


def test_continued_change_that_changes_nothing_is_withdrawn(campaign):
	proposal = propose(campaign)
	opened = json.loads(frappe.as_json(campaign.reload().as_dict()))

	savedocs(json.dumps({**opened, "__proposal": proposal.name}), "Save")

	assert proposal.reload().status == "Withdrawn"


def test_decline_needs_a_reason_which_the_author_gets_escaped(people, campaign):
	proposal = propose(campaign)
	frappe.set_user(people["manager"])
	with pytest.raises(frappe.ValidationError, match="Enter a reason"):
		proposals.decline_change(proposal.name, " ")

	proposals.decline_change(proposal.name, "Too <b>bold</b>")
	frappe.db.commit()

	assert (proposal.reload().status, proposal.reason) == ("Declined", "Too <b>bold</b>")
	[told] = factories.notifications_of(people["owner"])
	assert "Too &lt;b&gt;bold&lt;/b&gt;" in told
	with pytest.raises(frappe.ValidationError, match="declined already"):
		release(proposal)


def test_author_withdraws_and_releases_nothing(people, campaign):
	proposal = propose(campaign)
	with pytest.raises(frappe.PermissionError):
		release(proposal)
	with pytest.raises(frappe.PermissionError):
		proposals.decline_change(proposal.name, "x")

	proposals.withdraw_change(proposal.name)

	assert (proposal.reload().status, subjects(campaign)) == ("Withdrawn", ["Welcome", "A tip"])


def test_others_see_and_decide_nothing(people, campaign):
	proposal = propose(campaign)
	frappe.set_user(people["other"])

	for act in (
		lambda: proposals.review_change(proposal.name),
		lambda: proposals.open_change(proposal.name),
		lambda: proposals.withdraw_change(proposal.name),
		lambda: release(proposal),
	):
		with pytest.raises(frappe.PermissionError):
			act()
	assert frappe.get_list(DOCTYPE) == []


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_proposed_change_is_not_written_directly(people, campaign, who):
	proposal = propose(campaign)
	frappe.set_user(people[who])

	with pytest.raises(frappe.PermissionError):
		proposal.reload().update({"changes": "[]"}).save()
	with pytest.raises(frappe.PermissionError):
		frappe.get_doc(doctype=DOCTYPE, campaign=campaign.name, changes="[]").insert()


def test_proposal_that_cannot_be_saved_is_refused_at_once(campaign):
	campaign.steps[1].subject = "{{ recipient.first_name"

	with pytest.raises(frappe.ValidationError, match="unexpected end of template"):
		campaign.save()

	assert factories.count(DOCTYPE) == 0


def test_live_campaign_is_renamed_only_with_the_right(people, campaign):
	with pytest.raises(frappe.PermissionError):
		frappe.rename_doc("Drip Campaign", campaign.name, "Drip Test Renamed")

	assert frappe.db.exists("Drip Campaign", campaign.name)


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_row_is_not_saved_or_deleted_past_its_campaign(people, campaign, who):
	frappe.set_user(people[who])
	row = frappe.get_doc("Drip Campaign Step", campaign.steps[1].name)

	with pytest.raises(frappe.PermissionError):
		row.update({"subject": "Changed"}).save()
	with pytest.raises(frappe.PermissionError):
		frappe.delete_doc("Drip Campaign Step", row.name)

	assert subjects(campaign) == ["Welcome", "A tip"]


def test_rows_of_a_live_campaign_are_not_taken_over_by_a_draft(people, campaign):
	draft = factories.make_campaign(step(0, "Mine"))
	stolen = {**campaign.steps[1].as_dict(), "parent": draft.name, "subject": "Stolen"}
	shown = json.loads(frappe.as_json({**draft.as_dict(), "steps": [draft.steps[0].as_dict(), stolen]}))

	with pytest.raises(frappe.PermissionError, match="belongs to another record"):
		savedocs(json.dumps(shown), "Save")

	assert subjects(campaign) == ["Welcome", "A tip"]


def test_owner_in_a_request_gives_no_right(people, campaign):
	frappe.set_user(people["other"])
	shown = json.loads(frappe.as_json({**campaign.as_dict(), "owner": people["other"]}))
	shown["description"] = "Taken over"

	with pytest.raises(frappe.PermissionError):
		savedocs(json.dumps(shown), "Save")

	assert frappe.db.get_value("Drip Campaign", campaign.name, ["owner", "description"]) == (
		people["owner"],
		None,
	)


def test_form_shows_the_change_to_its_author_and_to_who_decides(people, campaign):
	proposal = propose(campaign)
	seen = {}
	for name, user in people.items():
		frappe.set_user(user)
		document = frappe.get_doc("Drip Campaign", campaign.name)
		document.run_method("onload")
		seen[name] = [row.name for row in document.get_onload("proposals")]

	assert seen == {"manager": [proposal.name], "owner": [proposal.name], "other": []}


def test_proposals_go_with_their_campaign(people, clock):
	frappe.set_user(people["owner"])
	campaign = factories.make_campaign(step(0), step(2, "A tip"))
	frappe.set_user(people["manager"])
	desk.activate_campaign(campaign.name)
	frappe.set_user(people["owner"])
	propose(campaign)

	frappe.delete_doc("Drip Campaign", campaign.name)

	assert factories.count(DOCTYPE) == 0


def resume_step(campaign) -> None:
	enrollments.resume_step(campaign.name, campaign.steps[1].name)


def end_pause_of_step_soon(campaign) -> None:
	soon = frappe.utils.add_to_date(None, minutes=1, as_string=True, as_datetime=True)
	enrollments.pause_step(campaign.name, campaign.steps[1].name, soon)


def reopen(campaign) -> None:
	enrollments.reopen_campaign(campaign.name)


def choose_variant(campaign) -> None:
	variants.choose_variant(campaign.name, campaign.steps[0].name, "B")


@pytest.mark.parametrize("status", ["Active", "Paused"])
@pytest.mark.parametrize(
	"act", [resume_step, end_pause_of_step_soon, reopen, choose_variant], ids=lambda act: act.__name__
)
def test_what_a_live_campaign_sends_is_not_changed_by_a_button_either(people, campaign, act, status):
	enrollments.pause_step(campaign.name, campaign.steps[1].name)  # stopping needs no further right
	enrollments.close_campaign(campaign.name)
	if status == "Paused":
		desk.pause_campaign(campaign.name)
	before = values_of(campaign)

	with pytest.raises(frappe.PermissionError, match="Drip Manager"):
		act(campaign)

	assert values_of(campaign) == before
	frappe.set_user(people["manager"])
	if act is not choose_variant:  # there is none
		act(campaign)
		assert values_of(campaign) != before
