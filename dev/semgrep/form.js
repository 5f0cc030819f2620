{% include "drip_campaigns/public/js/desk_api.js" %}

// Frappe fills in the line above. A rule reads the rest of such a script all the same.
function show(frm) {
	// ruleid: raw-html
	$(frm.wrapper).html(frm.doc.description);
	// ok: raw-html
	$(frm.wrapper).text(frm.doc.description);
}
