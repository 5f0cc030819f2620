"""The app's bench commands. Every name begins with `drip-`, because all apps share one list.

`bench --site SITE drip-doctor` finds out why no emails are sent; `drip-dispatch` sends what is due now;
`drip-rotate-keys` signs links with a new key; `drip-enroll` enrolls an audience; `drip-why-not` checks one record.
"""

import click
import frappe
from frappe.commands import get_site, pass_context


@click.command("drip-dispatch")
@click.option(
	"--no-delivery", is_flag=True, help="Queue the emails that are due, but do not send them: the workers do."
)
@pass_context
def dispatch_command(context, no_delivery: bool) -> None:
	"""Queue and send every email that is due now.

	Example: bench --site erp.example.com drip-dispatch
	"""
	from drip_campaigns.jobs import deliver, dispatch_due
	from drip_campaigns.site.clock import utc_now

	with frappe.init_site(get_site(context)):
		frappe.connect()
		queued = dispatch_due.dispatch(utc_now(), enqueue_delivery=no_delivery)
		click.echo(f"{queued} emails queued")
		if not no_delivery:
			click.echo(f"{deliver.deliver(utc_now)} emails accepted by the mail server")


@click.command("drip-doctor")
@click.option("--campaign", help="Check one campaign only.")
@pass_context
def doctor_command(context, campaign: str | None) -> None:
	"""Find out why no emails are sent, or what is sent next. Changes nothing; exits 1 if it finds a problem.

	Example: bench --site erp.example.com drip-doctor --campaign Welcome
	"""
	from drip_campaigns.dispatch.doctor import examine
	from drip_campaigns.site.clock import utc_now

	with frappe.init_site(get_site(context)):
		frappe.connect()
		findings = list(examine(utc_now(), campaign))
	for finding in findings:
		click.secho(
			("✗ " if finding.is_problem else "✓ ") + finding.text, fg="red" if finding.is_problem else "green"
		)
	if any(finding.is_problem for finding in findings):
		raise SystemExit(1)


@click.command("drip-repair")
@pass_context
def repair_command(context) -> None:
	"""Settle stray emails, and correct statuses and counters that contradict other rows.

	Example: bench --site erp.example.com drip-repair
	"""
	from drip_campaigns.jobs.repair import repair
	from drip_campaigns.site.clock import utc_now
	from drip_campaigns.stats.ledger import read_ledger
	from drip_campaigns.stats.verify_counters import correct_counters

	with frappe.init_site(get_site(context)):
		frappe.connect()
		for what, count in repair(utc_now()).items():
			click.echo(f"{what}: {count}")
		frappe.db.commit()  # the correction must read after its lock
		click.echo(f"counters corrected: {correct_counters()}")
		frappe.db.commit()
		for campaign in frappe.get_all("Drip Campaign", pluck="name"):
			figures = ", ".join(f"{key} {value}" for key, value in read_ledger(campaign).items())
			click.echo(f"{campaign}: {figures}")


@click.command("drip-rotate-keys")
@click.option(
	"--keep-days", default=60, show_default=True, help="How long links of older keys stay valid; at least 60."
)
@pass_context
def rotate_keys_command(context, keep_days: int) -> None:
	"""Sign the links of new emails with a new key. Older links stay valid for --keep-days.

	Example: bench --site erp.example.com drip-rotate-keys
	"""
	from drip_campaigns.site.clock import utc_now
	from drip_campaigns.site.signing_keys import rotate_keys

	with frappe.init_site(get_site(context)):
		frappe.connect()
		click.echo(f"{rotate_keys(utc_now().date(), keep_days)} keys are kept")


@click.command("drip-enroll")
@click.argument("campaign")
@click.argument("recipient_type")
@click.option("--filters", default="[]", help='List filters as JSON, such as \'{"status": "Open"}\'.')
@click.option("--start-date", help="YYYY-MM-DD; the default is today.")
@click.option("--per-day", default=0, help="Enroll at most this many a day; the daily job continues.")
@click.option("--everybody", is_flag=True, help="Confirm filters that match every record.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, but change nothing.")
@pass_context
def enroll_command(context, campaign: str, recipient_type: str, dry_run: bool, **options) -> None:
	"""Enroll the records of RECIPIENT_TYPE that match in CAMPAIGN; print how many were skipped, and why.

	Example: bench --site erp.example.com drip-enroll Welcome Lead --filters '{"status": "Open"}' --dry-run
	"""
	from drip_campaigns.core.errors import DripError
	from drip_campaigns.jobs import enroll_now

	with frappe.init_site(get_site(context)):
		frappe.connect()
		try:
			lines = enroll_now.enroll_audience(campaign, recipient_type, dry_run=dry_run, **options)
		except (DripError, frappe.ValidationError, frappe.DoesNotExistError) as error:
			raise click.ClickException(str(error)) from error
		click.echo("\n".join(lines))


@click.command("drip-why-not")
@click.argument("campaign")
@click.argument("recipient_type")
@click.argument("recipient")
@click.option("--filters", default="[]", help="List filters as JSON, each checked separately.")
@pass_context
def why_not_command(context, campaign: str, recipient_type: str, recipient: str, filters: str) -> None:
	"""Check rule by rule whether RECIPIENT can be enrolled in CAMPAIGN. Changes nothing; exits 1 if not.

	Example: bench --site erp.example.com drip-why-not Welcome Lead CRM-LEAD-2026-00001
	"""
	from drip_campaigns.core.errors import DripError
	from drip_campaigns.site.clock import utc_now
	from drip_campaigns.triggers.why_not import explain

	with frappe.init_site(get_site(context)):
		frappe.connect()
		try:
			result = explain(campaign, recipient_type, recipient, utc_now(), filters)
		except (DripError, frappe.DoesNotExistError) as error:
			raise click.ClickException(str(error)) from error
	_print_checks(result["checks"])
	for trigger in result["triggers"]:
		click.echo(f"{trigger['sentence']}. {trigger['latest']}".rstrip())
		_print_checks(trigger["checks"], "  ")
	if not result["would_enroll"]:
		raise SystemExit(1)


def _print_checks(checks: list[dict], indent: str = "") -> None:
	for check in checks:
		sign, color = ("✓", "green") if check["is_met"] else ("✗", "red")
		click.secho(f"{indent}{sign} {check['question']} {check['finding']}".rstrip(), fg=color)


commands = [
	dispatch_command,
	doctor_command,
	enroll_command,
	repair_command,
	rotate_keys_command,
	why_not_command,
]
