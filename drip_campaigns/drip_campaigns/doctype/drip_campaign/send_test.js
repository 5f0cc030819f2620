// The dialog that previews a step for a recipient and sends it to an address as a test.

async function open_send_test(frm) {
	if (frm.is_dirty()) await frm.save();
	const recipient_types = await read_from_desk("get_recipient_types");
	const dialog = new frappe.ui.Dialog({
		title: __("Send Test"),
		size: "extra-large",
		fields: make_test_fields(frm, recipient_types),
		primary_action_label: __("Send Test"),
		primary_action: () => send_test(frm, dialog),
	});
	for (const fieldname of ["step", "recipient_type", "recipient"]) {
		dialog.get_field(fieldname).df.onchange = frappe.utils.debounce(() => show_preview(frm, dialog), 300);
	}
	dialog.show();
	show_preview(frm, dialog);
}

const is_email = ({ step_type }) => !step_type || step_type === "Send Email";
const list_emails = (frm) => sort_by_day(frm, frm.doc.steps).filter(({ step }) => is_email(step));

function make_test_fields(frm, recipient_types) {
	const steps = list_emails(frm).map(({ step, when }) => ({
		value: step.name,
		label: frappe.utils.escape_html([when, name_step(frm, step)].filter(Boolean).join(": ")),
	}));
	for (const row of frm.doc.variants || []) {
		const subject = put_fields_in_brackets(row.subject || row.email_template || "");
		steps.push({ value: row.name, label: frappe.utils.escape_html(`${row.step_label}, ${row.variant}: ${subject}`) });
	}
	return [
		{ fieldname: "step", fieldtype: "Select", label: __("Step"), options: steps, default: steps[0].value, reqd: 1 },
		{
			fieldname: "email_address",
			fieldtype: "Data",
			options: "Email",
			label: __("Send To"),
			default: frappe.session.user_email,
			reqd: 1,
		},
		{ fieldtype: "Column Break" },
		{
			fieldname: "recipient_type",
			fieldtype: "Select",
			label: __("Preview As (Type)"),
			options: ["", ...recipient_types],
		},
		{
			fieldname: "recipient",
			fieldtype: "Dynamic Link",
			label: __("Preview As (Record)"),
			options: "recipient_type",
			depends_on: "recipient_type",
			description: __("Fills in the fields of this record; it is not sent to this record's address."),
		},
		{ fieldtype: "Section Break" },
		{ fieldname: "preview", fieldtype: "HTML" },
	];
}

function read_test(frm, dialog) {
	const { step, recipient_type, recipient } = dialog.get_values(true);
	const chosen = recipient_type && recipient ? { recipient_type, recipient } : {};
	// Frappe 15 sets the defaults of a dialog after it is shown.
	return { campaign: frm.doc.name, step: step || list_emails(frm)[0].step.name, ...chosen };
}

async function send_test(frm, dialog) {
	const { email_address } = dialog.get_values();
	const args = { ...read_test(frm, dialog), email_address };
	await call_desk("send_test", args, { btn: dialog.get_primary_btn() });
	frappe.show_alert({ message: __("Test sent to {0}", [frappe.utils.escape_html(email_address)]), indicator: "green" });
}

async function show_preview(frm, dialog) {
	const preview = await call_desk("preview_step", read_test(frm, dialog));
	const wrapper = dialog.get_field("preview").$wrapper;
	const view = wrapper.find(".drip-preview").attr("data-view") || "desktop";
	wrapper.html(make_preview(preview.subject, view));
	// Set srcdoc as a property, so the email is not parsed as HTML of this page; the sandbox runs no scripts.
	wrapper.find("iframe")[0].srcdoc = preview.html;
	wrapper.find("pre").text(preview.text);
	wrapper.find("[data-choose]").on("click", function () {
		const chosen = $(this).attr("data-choose");
		wrapper.find(".drip-preview").attr("data-view", chosen);
		wrapper.find("[data-choose]").removeClass("active");
		$(this).addClass("active");
	});
	wrapper.find(`[data-choose="${view}"]`).addClass("active");
}

function make_preview(subject, view) {
	const views = { desktop: __("Desktop"), phone: __("Phone"), text: __("Text") };
	const buttons = Object.entries(views).map(
		([name, label]) => `<button type="button" class="btn btn-default btn-xs" data-choose="${name}">${label}</button>`
	);
	return `<div class="drip-preview" data-view="${view}">
		<div class="drip-preview-head">
			<span class="drip-preview-subject">${frappe.utils.escape_html(subject)}</span>
			<span class="btn-group">${buttons.join("")}</span>
		</div>
		<div class="drip-preview-body">
			<iframe sandbox title="${__("Preview")}"></iframe>
			<pre></pre>
		</div>
	</div>`;
}
