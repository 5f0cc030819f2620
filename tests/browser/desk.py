"""The actions of a user in Desk, for Frappe 15 and 16."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

TIMEOUT_MILLISECONDS = 20_000
LOAD_MILLISECONDS = 60_000  # for a page of Desk on a busy machine
QUIET = "() => window.frappe?.request && !frappe.request.ajax_count && !document.body.dataset.ajaxState?.includes('trig')"
ROW = ".grid-row-open"  # the form of the row that is open

# A dialog that is still fading in takes a click and stays open: Bootstrap does not hide it then.
STILL = """document.addEventListener("DOMContentLoaded", () => {
	const style = document.createElement("style");
	style.textContent = ".modal, .modal.fade .modal-dialog { transition: none !important; }";
	document.head.append(style);
});"""


class Desk:
	"""One browser tab of a signed-in user. Every verb waits until Desk has come to rest."""

	def __init__(self, page: Page, screenshots: Path) -> None:
		self.page = page
		self.errors: list[str] = []
		self._screenshots = screenshots
		page.set_default_timeout(TIMEOUT_MILLISECONDS)
		page.set_default_navigation_timeout(LOAD_MILLISECONDS)
		page.add_init_script(STILL)
		page.on("pageerror", lambda error: self.errors.append(str(error)))

	def log_in(self, user: str, password: str) -> None:
		"""Sign in on the login page, as everybody does."""
		self.page.goto("/login")
		self.page.locator("#login_email").fill(user)
		self.page.locator("#login_password").fill(password)
		self.page.locator(".btn-login:visible").first.click()
		self.page.wait_for_url(re.compile(r"/(app|apps|desk)\b"))

	def open(self, path: str) -> None:
		"""Go to a route of Desk. Frappe 16 sends /app on to /desk."""
		self.page.goto(f"/app/{path}")
		self.settle()

	def settle(self) -> None:
		"""Wait until no request is running and nothing moves."""
		self.page.wait_for_function(QUIET)
		self.page.wait_for_timeout(400)
		self.page.wait_for_function(QUIET)

	def shoot(self, name: str) -> None:
		"""Keep a picture of what is seen now."""
		self.page.screenshot(path=self._screenshots / f"{name}.png")

	def field(self, fieldname: str, within: str = ".form-layout") -> Locator:
		"""Return what one types into, of the form or of the part of it that is open."""
		control = self.page.locator(f"{within} .frappe-control[data-fieldname='{fieldname}']:visible").first
		return control.locator("input:visible, .ql-editor:visible, textarea:visible").first

	def fill(self, fieldname: str, value: str, within: str = ".form-layout") -> None:
		"""Type into a field and move the focus on."""
		field = self.field(fieldname, within)
		field.fill(value)
		field.blur()
		self.settle()

	def choose(self, fieldname: str, value: str) -> None:
		"""Pick a record in a link field from what it offers."""
		field = self.field(fieldname)
		field.click()
		field.fill(value)
		self.page.locator(".awesomplete [role='option']:visible", has_text=value).first.click()
		self.settle()

	def add_step(self, number: int, days: int, subject: str, message: str) -> None:
		"""Add a row to the steps and write it in the row's own form."""
		self.page.locator(".frappe-control[data-fieldname='steps'] .grid-add-row").click()
		self.open_row(number)
		self.fill("send_after_days", str(days), ROW)
		self.fill("subject", subject, ROW)
		self.fill("message", message, ROW)
		self.close_row()

	def open_row(self, number: int, table: str = "steps") -> None:
		"""Open the form of a row, counted from 1."""
		row = self.page.locator(f".frappe-control[data-fieldname='{table}'] .grid-row[data-idx='{number}']")
		row.locator(".btn-open-row").click()
		self.settle()

	def close_row(self) -> None:
		"""Close the form of the row that is open."""
		self.page.locator(f"{ROW} .grid-collapse-row:visible").first.click()
		self.settle()

	def save(self) -> None:
		"""Save the form by the keyboard, and see that it is saved."""
		self.page.keyboard.press("Control+s")
		self.page.wait_for_function("() => cur_frm && !cur_frm.is_new() && !cur_frm.is_dirty()")
		self.settle()

	def press(self, label: str) -> None:
		"""Press a button of the form and agree to what it asks."""
		self.page.locator(".custom-actions button:visible", has_text=label).first.click()
		self.page.locator(".modal.show .btn-modal-primary:visible").click()
		expect(self.page.locator(".modal.show")).to_have_count(0)
		self.settle()

	def show_connections(self) -> None:
		"""Bring the connections of the form into view, whether they have a tab of their own or not."""
		tab = self.page.locator(".form-tabs .nav-link:visible", has_text="Connections")
		if tab.count():
			tab.click()
		self.page.locator(".form-links:visible").scroll_into_view_if_needed()
		self.settle()

	def connection(self, doctype: str) -> Locator:
		"""Return the badge of a connected DocType."""
		return self.page.locator(f".form-links .document-link[data-doctype='{doctype}']:visible")

	def expect_status(self, status: str) -> None:
		"""See the status beside the title."""
		expect(self.page.locator(".page-head .indicator-pill:visible").first).to_have_text(status)

	def route_name(self) -> str:
		"""Return the name of the record that is open."""
		return self.page.evaluate("() => cur_frm.doc.name")
