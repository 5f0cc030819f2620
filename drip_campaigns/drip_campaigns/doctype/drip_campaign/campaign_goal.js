// The goal of a campaign: show its filters, and edit them in a dialog.

frappe.ui.form.on("Drip Campaign", {
	goal: start_goal_anew,
	goal_recipient_type: start_goal_anew,
	goal_document: start_goal_anew,

	edit_goal_filters(frm) {
		const doctype = goal_doctype(frm);
		if (!doctype) {
			frappe.msgprint(__("Choose a record type or a document first; the filters use its fields."));
			return;
		}
		choose_filters(doctype, frm.doc.goal_filters, (filters) => {
			frm.set_value("goal_filters", filters);
			show_goal(frm);
		});
	},
});

function goal_doctype(frm) {
	return frm.doc.goal === "Document Created" ? frm.doc.goal_document : frm.doc.goal_recipient_type;
}

function start_goal_anew(frm) {
	frm.set_value("goal_filters", "[]");
	show_goal(frm);
}

function show_goal(frm) {
	const types = frappe.boot.drip_recipient_types || [];
	frm.set_query("goal_recipient_type", () => ({ filters: { name: ["in", types] } }));
	const doctype = goal_doctype(frm);
	const if_none = frm.doc.goal === "Document Created" ? __("Any new document") : __("No filters yet. Choose at least one.");
	const draw = () => show_filter_lines(frm.get_field("goal_filter_area"), frm.doc.goal_filters, if_none);
	if (doctype) frappe.model.with_doctype(doctype, draw);
	else draw();
}
