{% include "drip_campaigns/public/js/desk_api.js" %}

frappe.listview_settings["Drip Enrollment"] = {
	hide_name_column: true,
	add_fields: ["status", "recipient_name", "recipient", "confirmation"],

	// Of the other statuses the DocType's own states say the colour, and Frappe asks here for what they do not name.
	get_indicator({ status, confirmation }) {
		if (status !== "Scheduled") return;
		return confirmation === "Awaiting"
			? [__("Awaiting Confirmation"), "yellow", "confirmation,=,Awaiting|status,=,Scheduled"]
			: [__("Scheduled"), "blue", "status,=,Scheduled"];
	},

	onload(list) {
		for (const { label, method, question } of ENROLLMENT_ACTIONS) {
			list.page.add_actions_menu_item(label, () => act_on_ticked(list, method, question), false);
		}
		if (!frappe.model.can_create("Drip Enrollment")) return;
		list.page.add_menu_item(__("Why Not?"), () => drip_campaigns.ask_why_not({}));
		list.page.add_menu_item(__("Enroll from a File"), () => drip_campaigns.enroll_file({}));
	},
};

const ENROLLMENT_ACTIONS = [
	{
		label: __("Pause"),
		method: "pause_enrollment",
		question: (count) => __("Pause {0} enrollments? They get no e-mail until you resume them.", [count]),
	},
	{
		label: __("Resume"),
		method: "resume_enrollment",
		question: (count) => __("Resume {0} enrollments? Each goes on at its next step.", [count]),
	},
	{
		label: __("Remove"),
		method: "remove_enrollment",
		question: (count) => __("Remove {0} enrollments? They get no e-mail of their campaign any more.", [count]),
	},
];

function act_on_ticked(list, method, question) {
	const names = list.get_checked_items(true);
	frappe.confirm(question(names.length), async () => {
		await act_on_each(names, method);
		list.clear_checked_items();
		list.refresh();
	});
}

// One call each, so that one that cannot be done (it is completed, say) does not stop the others.
async function act_on_each(names, method) {
	let refused = 0;
	for (const [i, enrollment] of names.entries()) {
		frappe.show_progress(__("Enrollments"), i + 1, names.length, null, true);
		await call_desk(method, { enrollment }, { silent: true }).catch(() => refused++);
	}
	const done = names.length - refused;
	const message = refused
		? __("{0} done, {1} left as they were: their status does not allow it.", [done, refused])
		: __("{0} done.", [done]);
	frappe.show_alert({ message, indicator: refused ? "orange" : "green" });
}
