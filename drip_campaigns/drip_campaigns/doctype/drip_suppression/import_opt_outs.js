// Import Opt-Outs: upload a file of another tool, choose the column and the reason, preview, and suppress the addresses.

(() => {
	const call = async (method, args) => {
		const { message } = await frappe.call({ method: `drip_campaigns.api.suppressions.${method}`, args });
		return message;
	};
	const escape = (text) => frappe.utils.escape_html(text == null ? "" : String(text));
	const number = (value) => format_number(value, null, 0);
	const REASONS = ["Opted Out", "Hard Bounce", "Complaint", "Manual"];

	window.drip_import_opt_outs = (on_done) => {
		let file_url = null;
		let latest = 0;
		const dialog = new frappe.ui.Dialog({
			title: __("Import Opt-Outs"),
			fields: [
				{
					fieldname: "file_url",
					fieldtype: "Attach",
					label: __("CSV or Excel File"),
					reqd: 1,
					options: { restrictions: { allowed_file_types: [".csv", ".tsv", ".xlsx"] } },
					onchange: () => read_file(),
				},
				{
					fieldname: "email_address",
					fieldtype: "Select",
					label: __("Email Address"),
					options: [""],
					onchange: () => preview(),
				},
				{
					fieldname: "reason",
					fieldtype: "Select",
					label: __("Reason"),
					reqd: 1,
					default: REASONS[0],
					options: REASONS.map((value) => ({ value, label: __(value) })),
				},
				{
					fieldname: "note",
					fieldtype: "Small Text",
					label: __("Note"),
					reqd: 1,
					description: __("Enter which tool the file comes from, and when. This is your proof later."),
				},
				{ fieldname: "numbers", fieldtype: "HTML" },
			],
			primary_action_label: __("Import"),
			primary_action: start,
		});
		dialog.show();
		const area = dialog.get_field("numbers").$wrapper;
		allow(false);

		function allow(allowed) {
			dialog.get_primary_btn().prop("disabled", !allowed);
		}

		function make_mapping() {
			return JSON.stringify({ email_address: dialog.get_value("email_address") });
		}

		async function read_file() {
			const url = dialog.get_value("file_url");
			if (!url || url === file_url) return;
			file_url = url;
			const file = await call("read_opt_out_file", { file_url }).catch(() => null);
			if (!file) return;
			const headings = file.headings.filter(Boolean);
			const options = ["", ...headings.map((value) => ({ value, label: escape(value) }))];
			dialog.set_df_property("email_address", "options", options);
			await dialog.set_value("email_address", file.email_address);
			preview();
		}

		async function preview() {
			allow(false);
			area.empty();
			const question = ++latest;
			if (!file_url || !dialog.get_value("email_address")) return;
			const figures = await call("preview_opt_outs", { file_url, mapping: make_mapping() }).catch(() => null);
			if (!figures || question !== latest) return;
			draw(figures, __("will be suppressed"));
			allow(figures.new > 0);
		}

		function draw(figures, label) {
			const lines = figures.errors
				.slice(0, 10)
				.map(({ row, text }) => `<tr><td class="text-right pr-3">${number(row)}</td><td>${escape(text)}</td></tr>`);
			const all = lines.length === figures.errors_count;
			const heading = all ? __("Rows with an error") : __("First {0} of {1} rows with an error", [lines.length, number(figures.errors_count)]);
			area.html(`${figures.problem ? `<p class="text-danger">${escape(figures.problem)}</p>` : ""}
				<p><b>${number(figures.new)}</b> ${label}, <b>${number(figures.known)}</b> ${__("are suppressed already")},
				<b>${number(figures.errors_count)}</b> ${__("rows have an error")}.</p>
				${lines.length ? `<h6>${heading}</h6><table>${lines.join("")}</table>` : ""}`);
		}

		async function start() {
			const values = dialog.get_values();
			if (!values) return;
			allow(false);
			const { reason, note } = values;
			const args = { file_url, mapping: make_mapping(), reason, note };
			const counts = await call("import_opt_outs", args).catch(() => null);
			if (!counts) return allow(true);
			if (counts.is_running) {
				area.text(__("Running in the background. You get a notification at the end."));
			} else {
				draw(counts, __("suppressed"));
			}
			dialog.set_primary_action(__("Close"), () => dialog.hide());
			allow(true);
			on_done();
		}
	};
})();
