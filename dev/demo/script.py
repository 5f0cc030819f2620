"""The script: seven days from a Monday morning to the next, scene by scene. Time is an argument, so it takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email.message import EmailMessage
from enum import Enum

import frappe

from dev.demo import jobs, records, unsubscribe, web
from dev.demo.jobs import Ran
from dev.demo.mail_server import REFUSAL
from dev.demo.people import PEOPLE, Part, Person, find_person
from dev.demo.servers import Servers
from dev.shell import StepError
from drip_campaigns.enrollment.enroll import enroll
from drip_campaigns.site.clock import from_site, site_date

DAYS = 7


class Mark(Enum):
	"""What kind of event a line of the timeline shows."""

	PREPARED = "prepared"
	SENT = "sent"
	QUIET = "quiet"
	JOINED = "joined"
	UNSUBSCRIBED = "left"
	REFUSED = "refused"
	DOWN = "down"


@dataclass(frozen=True)
class Happening:
	"""One line of the timeline, `at` by the site's clocks; `address` is of the person that it is about, if it is of one."""

	at: datetime
	day: int
	mark: Mark
	text: str
	address: str = ""


@dataclass(frozen=True)
class Scene:
	"""Something to be done at a time of a day; the function is given the play and the moment."""

	day: int
	at: str
	act: Callable[[Play, datetime], Iterator[tuple]]


class StoryError(StepError):
	"""The demo did not go as its script requires."""

	def __init__(self, message: str) -> None:
		super().__init__(
			message, "To see its records, run make start. To start with a new site, run make clean demo."
		)


def last_full_week(now: datetime) -> date:
	"""Return the Monday with which the last seven days from Monday to Monday began that are over by now."""
	today = site_date(now)
	return today - timedelta(days=today.weekday() + (DAYS if today.weekday() else 2 * DAYS))


class Play:
	"""A run of the script; `happenings` is the timeline so far, `now` the simulated time."""

	def __init__(self, servers: Servers, monday: date) -> None:
		self.servers, self.monday = servers, monday
		self.now: datetime | None = None  # of the latest scene
		self.happenings: list[Happening] = []
		self.refusals: dict[str, str] = {}  # name of a person -> why there is no enrollment

	def act(self, scene: Scene) -> None:
		"""Play one scene and write down what happened in it."""
		wall = datetime.combine(self.monday + timedelta(days=scene.day), time.fromisoformat(scene.at))
		self.now = from_site(wall)
		web.set_clock(self.now)
		self.happenings += [Happening(wall, scene.day, *told) for told in scene.act(self, self.now)]
		frappe.db.commit()

	def reopen_campaign(self, now: datetime) -> Iterator[tuple]:
		records.create_campaign(now)
		yield Mark.PREPARED, "The campaign is activated: three emails, on days 0, 2 and 4"

	def enroll_everybody(self, now: datetime) -> Iterator[tuple]:
		people = [person for person in PEOPLE if person.part is not Part.JOINS_LATE]
		enrolled = sum(self._enroll(person, now) for person in people)
		yield Mark.JOINED, f"{enrolled} Contacts are enrolled"
		for reason in self.refusals.values():
			yield Mark.REFUSED, f"Not enrolled: {reason}"

	def enroll_latecomer(self, now: datetime) -> Iterator[tuple]:
		person = find_person(Part.JOINS_LATE)
		self._enroll(person, now)
		yield Mark.JOINED, f"{person.full_name} is enrolled, two days after the others", person.address

	def run_daily_job(self, now: datetime) -> Iterator[tuple]:
		yield from self._tell("The daily job runs", [jobs.run_daily_job(now)])

	def run_daily_job_twice_at_once(self, now: datetime) -> Iterator[tuple]:
		ran = self.servers.pair.run_daily_job(now, self.servers.url)
		yield from self._tell("The daily job runs in two processes at the same time", ran)

	def refuse_one(self, now: datetime) -> Iterator[tuple]:
		person = find_person(Part.IS_REFUSED)
		self.servers.mail_server.answer(person.address, REFUSAL)
		yield (
			Mark.PREPARED,
			f"From now on the mail server answers {REFUSAL} for {person.address}",
			person.address,
		)

	def leave_by_page(self, now: datetime) -> Iterator[tuple]:
		person = find_person(Part.UNSUBSCRIBES_BY_PAGE)
		browser, before = unsubscribe.Browser(), _consent_state(person)
		form = browser.open(unsubscribe.find_link(self._last_mail(person)))
		_require(_consent_state(person) == before, "Opening the page to unsubscribe has changed something.")
		_require(browser.submit(form) == 200, "The form to unsubscribe was not accepted.")
		yield self._tell_left(person, "opens the link, which changes nothing, and confirms on the page")

	def leave_by_one_click(self, now: datetime) -> Iterator[tuple]:
		person = find_person(Part.UNSUBSCRIBES_BY_ONE_CLICK)
		_require(
			unsubscribe.click_once(self._last_mail(person)) == 200, "The one-click POST was not accepted."
		)
		yield self._tell_left(person, "presses Unsubscribe in the mail program (one-click POST)")

	def sleep(self, now: datetime) -> Iterator[tuple]:
		yield Mark.DOWN, "The scheduler is down: nothing runs all day"

	def _enroll(self, person: Person, now: datetime) -> bool:
		frappe.db.savepoint("enroll")
		try:
			enroll(records.CAMPAIGN, "Contact", records.find_contact(person), now)
		except frappe.ValidationError as error:
			frappe.db.rollback(save_point="enroll")
			frappe.clear_messages()
			self.refusals[person.full_name] = str(error)
			return False
		return True

	def _tell(self, what: str, ran: list[Ran]) -> Iterator[tuple]:
		queued, accepted = sum(one.queued for one in ran), sum(one.accepted for one in ran)
		if not queued and not accepted:
			yield Mark.QUIET, f"{what}: nothing is due"
			return
		shares = f" ({' + '.join(str(one.accepted) for one in ran)})" if len(ran) > 1 else ""
		yield (
			Mark.SENT,
			f"{what}: {_count(queued, 'email')} due, {accepted} accepted by the mail server{shares}",
		)
		if accepted < queued:
			person = find_person(Part.IS_REFUSED)
			yield Mark.REFUSED, f"{person.full_name} is refused for good: a hard bounce", person.address

	def _tell_left(self, person: Person, how: str) -> tuple:
		_require(_consent_state(person)[0] == "Unsubscribed", f"{person.full_name} is not unsubscribed.")
		return Mark.UNSUBSCRIBED, f"{person.full_name} {how}", person.address

	def _last_mail(self, person: Person) -> EmailMessage:
		received = self.servers.mail_server.to(person.address)
		_require(bool(received), f"{person.full_name} has got no email.")
		return received[-1].message


def _consent_state(person: Person) -> tuple:
	"""Return everything that unsubscribing changes."""
	frappe.db.rollback()  # see what the web server has committed
	fields = ["status", "modified", "ended_at", "next_send_at"]
	where = {"campaign": records.CAMPAIGN, "email_address": person.address}
	left = frappe.db.count("Email Unsubscribe", {"email": person.address})
	return (*frappe.db.get_value("Drip Enrollment", where, fields), left)


def _count(number: int, what: str) -> str:
	return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _require(condition: bool, otherwise: str) -> None:
	if not condition:
		raise StoryError(otherwise)


_MORNING, _EVENING = "09:00", "17:00"

SCRIPT: tuple[Scene, ...] = (
	Scene(0, "08:30", Play.reopen_campaign),
	Scene(0, "08:40", Play.enroll_everybody),
	Scene(0, "08:50", Play.refuse_one),
	Scene(0, _MORNING, Play.run_daily_job),
	Scene(0, _EVENING, Play.run_daily_job),
	Scene(1, _MORNING, Play.run_daily_job),
	Scene(1, "11:20", Play.leave_by_page),
	Scene(1, _EVENING, Play.run_daily_job),
	Scene(2, "08:40", Play.enroll_latecomer),
	Scene(2, _MORNING, Play.run_daily_job_twice_at_once),
	Scene(2, _EVENING, Play.run_daily_job),
	Scene(3, _MORNING, Play.run_daily_job),
	Scene(3, "14:10", Play.leave_by_one_click),
	Scene(3, _EVENING, Play.run_daily_job),
	Scene(4, _MORNING, Play.sleep),
	Scene(5, _MORNING, Play.run_daily_job),
	Scene(5, _EVENING, Play.run_daily_job),
	Scene(6, _MORNING, Play.run_daily_job),
	Scene(6, _EVENING, Play.run_daily_job),
	# Seven days are over; who joined late was late once more because of day 4, and gets the last email now
	Scene(7, _MORNING, Play.run_daily_job),
)
