"""The pages that recipients see, each in the state in which they see it: what there is to look at, and how one gets there."""

import re
from dataclasses import dataclass

import frappe

from drip_campaigns.core.tracking.tokens import Purpose
from drip_campaigns.enrollment import address_change
from drip_campaigns.rendering.links import Links
from drip_campaigns.site.clock import utc_now
from tests import factories, verbs
from tests.factories import DOMAIN
from tests.fakes import Clock

TEXT = """<h2>The tulips are here</h2><p>Hello {{ recipient.first_name }}, this week 40 kinds came in.</p>
<p><a class="button" href="https://garden.example/tulips">See them all</a></p>"""


@dataclass(frozen=True)
class Sight:
	"""One page in one state: `url` shows it; `press` is what the form has whose button is pressed first."""

	name: str
	url: str
	status: int = 200
	press: str = ""


def lay_out(smtp) -> list[Sight]:
	"""Make recipients in every state on the site, and return what each sees; called anew for every visitor."""
	clock, links = Clock(utc_now()), Links()
	step = factories.step(0, "The tulips are here", TEXT)
	campaign = factories.make_active_campaign(
		clock, step, name="Spring in the garden", has_browser_link=1, tracking_mode="Individual"
	)
	asking = factories.make_active_campaign(
		clock, step, name="Letters from the nursery", double_opt_in="Always"
	)
	ada = factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)
	bob = factories.enroll(campaign, factories.make_contact("Bob", f"bob@{DOMAIN}"), clock)
	dan = factories.enroll(campaign, factories.make_contact("Dan", f"dan@{DOMAIN}"), clock)
	eve = factories.enroll(asking, factories.make_contact("Eve", f"eve@{DOMAIN}"), clock)
	gone = factories.enroll(asking, factories.make_contact("Gus", f"gus@{DOMAIN}"), clock)
	factories.run(clock)
	verbs.remove(gone.reload(), clock.now)
	preferences = _prefer(links, clock)
	[old] = frappe.get_all("Drip Email", filters={"enrollment": bob.name}, fields=["*"])
	frappe.db.delete("Email Queue", {"name": old.email_queue})
	frappe.db.delete("Communication", {"name": old.communication})
	frappe.db.commit()
	return [
		Sight("leave", links.unsubscribe(ada.name)),
		Sight("left", links.unsubscribe(bob.name), press="campaign"),
		Sight("left-everything", links.unsubscribe(dan.name), press="everything"),
		Sight("confirm", links.confirm(eve.name)),
		Sight("confirmed", links.confirm(eve.name), press="seen"),
		Sight("confirm-too-late", links.confirm(gone.name), 410),
		Sight("preferences", links.preferences(ada.name, ada.email_address)),
		Sight("erase", links.preferences(ada.name, ada.email_address), press="ask-to-erase"),
		Sight("change-address", links.change(_ask_for_change(ada.email_address, clock))),
		Sight("view", _view_link(smtp, ada.email_address)),
		Sight("view-gone", links.view(old.name), 410),
		*preferences,
		Sight("bad-link", links.unsubscribe("nobody") + "x", 404),
		Sight("test-link", links.preview(Purpose.CONFIRM)),
	]


def _ask_for_change(address: str, clock: Clock) -> str:
	address_change.request_change(address, f"new.{address}", clock.now)
	frappe.db.commit()
	return frappe.get_last_doc("Drip Recipient Preference").change_key


def _prefer(links: Links, clock: Clock) -> list[Sight]:
	"""Make people who have something to choose, and return what they see."""
	campaign = factories.make_active_campaign(clock, name="Autumn in the garden")
	people = [factories.make_contact(name, f"{name.lower()}@{DOMAIN}") for name in ("Hal", "Ida", "Jo")]
	for title, text in (("News of the nursery", "Once a month, in short."), ("Open days", "")):
		fields = {"show_to_recipients": 1, "public_title": title, "public_description": text}
		factories.make_list(f"Drip Test {title}", *people, **fields)
	hal, ida, jo = (
		links.preferences(factories.enroll(campaign, person, clock).name, person.email_id)
		for person in people
	)
	return [
		Sight("preferences-lists", hal),
		Sight("preferences-paused", hal, press="pause-30"),
		Sight("preferences-nothing", ida, press="leave-all"),
		Sight("preferences-saved", jo, press="save"),
	]


def _view_link(smtp, address: str) -> str:
	html = smtp.to(address)[-1].part("html")
	return re.search(r'href="([^"]+/drip/view/[^"]+)"', html).group(1)
