frappe.ui.form.on("Drip Step Version", {
	refresh(frm) {
		// Set srcdoc as a property, so the email is not parsed as HTML of this page; the sandbox runs no scripts.
		const view = $('<iframe sandbox class="drip-version">').attr("title", __("Preview"));
		frm.get_field("preview").$wrapper.empty().append(view);
		view.css({ width: "100%", height: "24rem", border: "1px solid var(--border-color)", background: "white" });
		view[0].srcdoc = frm.doc.message || "";
	},
});
