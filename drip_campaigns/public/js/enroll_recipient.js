// On the form of a recipient, + beside Drip Enrollment under Connections makes one for this record.

for (const doctype of ["Contact", "User", "Lead"]) {
	frappe.ui.form.on(doctype, {
		refresh(frm) {
			const enroll = () =>
				frappe.new_doc("Drip Enrollment", { recipient_type: frm.doctype, recipient: frm.doc.name });
			frm.make_methods = { ...frm.make_methods, "Drip Enrollment": enroll };
		},
	});
}
