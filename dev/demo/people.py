"""The people of the demo, what happens to each of them, and how each must end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

DOMAIN = "demo.example"


class Part(Enum):
	"""What happens to a person in the week."""

	READS = "reads all three emails"
	UNSUBSCRIBES_BY_PAGE = "unsubscribes by the page"
	UNSUBSCRIBES_BY_ONE_CLICK = "unsubscribes by one click in the mail program"
	IS_REFUSED = "has an address that the mail server refuses for good"
	HAS_NO_ADDRESS = "is a Contact without an email address"
	JOINS_LATE = "is enrolled two days later"


@dataclass(frozen=True)
class Ending:
	"""How a person's week must end: status, exit reason, on which day, and the steps that the mail server must have got."""

	status: str
	exit_reason: str | None
	day: int | None
	received: tuple[int, ...]


NOT_ENROLLED = "Not Enrolled"  # no status of an enrollment: there is none

ENDINGS: dict[Part, Ending] = {
	# The third email is due on day 4, when nothing runs. Late is kept late: who joined two days after the others
	# had the second one due on that day, and has the third two days after the second
	Part.READS: Ending("Completed", None, 5, (1, 2, 3)),
	Part.JOINS_LATE: Ending("Completed", None, 7, (1, 2, 3)),
	Part.UNSUBSCRIBES_BY_PAGE: Ending("Unsubscribed", None, 1, (1,)),
	Part.UNSUBSCRIBES_BY_ONE_CLICK: Ending("Unsubscribed", None, 3, (1, 2)),
	Part.IS_REFUSED: Ending("Exited", "Hard Bounce", 0, ()),
	Part.HAS_NO_ADDRESS: Ending(NOT_ENROLLED, None, None, ()),
}


@dataclass(frozen=True)
class Person:
	"""One Contact of the demo; a field may be empty."""

	first_name: str
	last_name: str
	company: str
	address: str
	part: Part = Part.READS

	@property
	def full_name(self) -> str:
		return f"{self.first_name} {self.last_name}".strip()


def _person(first_name: str, last_name: str, company: str, address: str, part: Part = Part.READS) -> Person:
	return Person(first_name, last_name, company, f"{address}.{DOMAIN}" if address else "", part)


PEOPLE: tuple[Person, ...] = (
	_person("Aiko", "Tanaka", "Tanaka Paper Studio", "aiko@tanaka-paper"),
	_person("Amara", "Okonkwo", "Lagos Design Week", "amara.okonkwo@lagosdesign"),
	_person("Ana María", "Ruiz Castañeda", "Taller Ruiz", "anamaria@taller-ruiz"),
	_person("Björn", "Þorsteinsson", "Höfn Architects", "bjorn@hofn-arkitektar", Part.UNSUBSCRIBES_BY_PAGE),
	_person("Chiara", "D'Angelo", "D'Angelo & Figli", "chiara@dangelo-figli"),
	_person("Daan", "van der Berg", "Van der Berg Optics", "daan@vdberg-optics"),
	_person("Eilidh", "MacLeod", "Skye Weaving Mill", "eilidh@skye-weaving"),
	_person("Fatima Zahra", "El Amrani", "Atelier Amrani", "fatima@atelier-amrani"),
	_person("Gülşen", "Yıldırım", "Yıldırım Çini", "gulsen@yildirim-cini"),
	_person("Hồng", "Nguyễn Thị", "Sen Publishing", "hong.nguyen@sen-publishing"),
	_person("Ingrid", "Sjöström", "Sjöström Möbler", "ingrid@sjostrom-mobler", Part.IS_REFUSED),
	_person("José Luís", "Araújo", "Oficina Araújo", "jose.luis@oficina-araujo"),
	_person("Kwame", "Asante", "", "kwame@asante-photography"),
	_person("Leilani", "Kealoha", "Kealoha Surf School", "leilani@kealoha-surf", Part.JOINS_LATE),
	_person("Łukasz", "Wójcik", "Wójcik i Synowie", "lukasz@wojcik-synowie"),
	_person("Māia", "Ngata", "Tūī Books", "maia@tui-books"),
	_person("Nikhil", "Venkataraman", "Madras Type Foundry", "nikhil@madras-type"),
	_person("Олена", "Коваленко", "Майстерня Світло", "olena@maisternia-svitlo"),
	_person("Padraig", "Ó Súilleabháin", "Dingle Boatyard", "", Part.HAS_NO_ADDRESS),
	_person("Renée", "Lefèvre", "Reliure Lefèvre", "renee@reliure-lefevre", Part.UNSUBSCRIBES_BY_ONE_CLICK),
	_person("Siobhán", "", "Galway Glassworks", "siobhan@galway-glass"),
	_person("محمود", "درويش", "دار الضوء", "mahmoud@dar-aldaw"),
	_person("Tomáš", "Dvořák", "Dvořák Housle", "tomas@dvorak-housle"),
	_person("Xiùyīng", "Chén", "Jade River Ceramics", "xiuying@jade-river"),
	_person("Zoë", "Papadopoulou-Schmidt", "Papadopoulou-Schmidt Landscape Architecture", "zoe@ps-landscape"),
)


def find_person(part: Part) -> Person:
	"""Return the only person with a part."""
	[person] = [person for person in PEOPLE if person.part is part]
	return person
