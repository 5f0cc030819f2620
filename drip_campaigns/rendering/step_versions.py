"""Store each sent text of a step once, under a name that is a hash of its content."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

import frappe

from drip_campaigns.db.bulk_writes import insert_records, standard_values
from drip_campaigns.rendering.step_text import StepText
from drip_campaigns.site.clock import to_site

DOCTYPE = "Drip Step Version"
_stored: set[tuple[str, str]] = set()  # the versions that this process has committed: (site, name)
MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class Version:
	"""A text of a step as its author wrote it."""

	name: str
	campaign: str
	step: str
	subject: str
	message: str
	email_template: str | None


def make_version(campaign: str, step: str, text: StepText, template: str | None) -> Version:
	"""Return the version of a text: the same one for the same text of the same step."""
	content = "\0".join((campaign, step, text.subject, text.html, text.preview, template or ""))
	name = hashlib.blake2b(content.encode(), digest_size=10).hexdigest()
	return Version(name, campaign, step, text.subject[:255], text.html, template)


def store_versions(versions: Iterable[Version], now: datetime) -> None:
	"""Store the texts that are not stored yet; most batches have none. Does not commit."""
	site, stamp = frappe.local.site, to_site(now)
	new = {version.name: version for version in versions if (site, version.name) not in _stored}
	if not new:
		return
	standard = standard_values("Administrator", stamp)
	insert_records(DOCTYPE, [standard | asdict(version) for version in new.values()], keep_existing=True)
	frappe.db.after_commit.add(lambda: _remember(site, new))


def _remember(site: str, names: Iterable[str]) -> None:
	if len(_stored) > MOST_REMEMBERED:
		_stored.clear()
	_stored.update((site, name) for name in names)
