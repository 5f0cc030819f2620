// A step that is an action as a sentence, as actions/words.py says it: for the grid and the line of steps.

const in_quotes = (text) => `“${put_fields_in_brackets(text || "")}”`;
const ACTION_SENTENCES = {
	"Set Field"({ action_doctype, action_field, action_value }) {
		const label = __(frappe.meta.get_label(action_doctype, action_field) || action_field || "…");
		return action_value ? __("Set {0} to {1}", [label, in_quotes(action_value)]) : __("Empty {0}", [label]);
	},
	"Add Tag": ({ action_tag }) => __("Add the tag {0}", [in_quotes(action_tag)]),
	"Remove Tag": ({ action_tag }) => __("Remove the tag {0}", [in_quotes(action_tag)]),
	"Assign ToDo"(step) {
		const what = step.action_text ? in_quotes(step.action_text) : __("a ToDo");
		const sentence = __("Assign {0} to {1}", [what, name_whom(step)]);
		const waits = cint(step.wait_for_todo) && step.run_when !== "On Exit";
		return waits ? __("{0}, and wait until it is closed", [sentence]) : sentence;
	},
	"Add to List": ({ action_list }) => __("Put on the list {0}", [in_quotes(action_list)]),
	"Remove from List": ({ action_list }) => __("Take off the list {0}", [in_quotes(action_list)]),
	"Enroll in Campaign": ({ action_campaign }) => __("Enroll in {0}", [in_quotes(action_campaign)]),
	"Remove from Campaign": ({ action_campaign }) => __("Take off the campaign {0}", [in_quotes(action_campaign)]),
	"Notify User": (step) => __("Tell {0}: {1}", [name_whom(step), in_quotes(step.action_text)]),
	"Call Webhook": ({ webhook }) => __("Call the Webhook {0}", [in_quotes(webhook)]),
	"Create Document": ({ action_doctype }) => __("Create a record: {0}", [__(action_doctype || "…")]),
};

function describe_action(step) {
	const sentence = ACTION_SENTENCES[step.action] ? ACTION_SENTENCES[step.action](step) : __("Choose an action");
	if (step.run_when !== "On Exit") return sentence;
	if (!step.on_exit_reason) return __("When somebody leaves: {0}", [sentence]);
	return __("When somebody leaves ({0}): {1}", [__(step.on_exit_reason), sentence]);
}

function name_whom({ assign_to, action_user, action_users }) {
	if (assign_to === "Record's Owner") return __("the record's owner");
	if (assign_to !== "Round Robin") return action_user ? frappe.user.full_name(action_user) : "…";
	const users = (action_users || "").split("\n").map((user) => user.trim());
	return __("one of {0} in turn", [users.filter(Boolean).map((user) => frappe.user.full_name(user)).join(", ")]);
}

// The labels of fields are known once their DocType is.
function load_record_types(frm) {
	const used = frm.doc.steps.filter((step) => step.step_type === "Action").map((step) => step.action_doctype);
	const load = (doctype) => new Promise((resolve) => frappe.model.with_doctype(doctype, resolve));
	return Promise.all([...new Set(used.filter(Boolean))].map(load));
}

// Nobody waits for it: a DocType that is gone from the site is never loaded.
async function name_fields_of_actions(frm) {
	if (!frm.doc.steps.some((step) => step.action_doctype)) return;
	await load_record_types(frm);
	draw_schedule(frm);
	frm.get_field("steps").grid.refresh();
}
