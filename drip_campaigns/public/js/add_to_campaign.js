// On the form of every recipient type, those of Drip Settings included: a button that enrolls the record, and a +
// beside Drip Enrollment under Connections.

(() => {
	const is_recipient_type = (doctype) => (frappe.boot.drip_recipient_types || []).includes(doctype);
	const may_enroll = (doctype) => is_recipient_type(doctype) && frappe.model.can_create("Drip Enrollment");

	$(document).on("form-refresh", (event, frm) => {
		if (!may_enroll(frm.doctype) || frm.is_new()) return;
		const enroll = () =>
			frappe.new_doc("Drip Enrollment", { recipient_type: frm.doctype, recipient: frm.doc.name });
		frm.make_methods = { ...frm.make_methods, "Drip Enrollment": enroll };
		frm.add_custom_button(__("Add to Campaign"), enroll);
	});
})();
