// Pause until a date, and change many enrollments in one call with a summary of the results.

function call_enrollments(method, args) {
	return frappe
		.call({ method: `drip_campaigns.api.enrollments.${method}`, args, freeze: true })
		.then(({ message }) => message);
}

// Where a dialog shows HTML of `show_note`. Frappe runs the `options` of such a field as a template, with the {{ }} of any text.
const NOTE = { fieldname: "note", fieldtype: "HTML" };

function show_note(dialog, html) {
	dialog.fields_dict.note.$wrapper.html(html);
}

// Ask for the end of a pause; empty means until a user resumes it.
function ask_until(title, description, act, more_fields = []) {
	const until = {
		fieldname: "until",
		fieldtype: "Datetime",
		label: __("Until"),
		description: __("Leave empty to pause until a user resumes it."),
	};
	const fields = [NOTE, until, ...more_fields];
	const dialog = frappe.prompt(fields, (values) => act(values.until || null, values), title, __("Pause"));
	show_note(dialog, `<p>${description}</p>`);
}

const list_refusals = (refused) =>
	Object.entries(refused).map(([reason, count]) => `${cint(count)} × ${frappe.utils.escape_html(reason)}`);

function show_outcome({ done, refused, left }) {
	const reasons = list_refusals(refused);
	if (left) reasons.push(__("{0} more are processed in the background. You will be notified.", [left]));
	if (!reasons.length) {
		frappe.show_alert({ message: __("{0} done.", [done]), indicator: "green" });
		return;
	}
	const head = __("{0} done. The others were not changed:", [done]);
	frappe.msgprint({ title: __("Enrollments"), message: `${head}<br>${reasons.join("<br>")}`, indicator: "orange" });
}
