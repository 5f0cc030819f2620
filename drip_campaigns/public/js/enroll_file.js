// Enroll from File: upload, map the columns, preview the result, start the run.

(() => {
	const FACTS = [
		["email_address", __("Email Address")],
		["record", __("Record ID")],
		["first_name", __("First Name")],
		["last_name", __("Last Name")],
		["company", __("Company")],
	];
	const CAN_BE_MADE = ["Contact", "Lead"];

	// options: campaign, on_done
	drip_campaigns.open_file_dialog = (options) => new FileDialog(options);

	class FileDialog {
		constructor(options) {
			this.options = options;
			this.latest = 0;
			this.dialog = new frappe.ui.Dialog({
				title: options.campaign ? __("Enroll from File in {0}", [frappe.utils.escape_html(options.campaign)]) : __("Enroll from File"),
				size: "large",
				fields: this.make_fields(),
				primary_action_label: __("Enroll"),
				primary_action: () => this.enroll(),
			});
			this.dialog.show();
			this.area = this.dialog.get_field("numbers").$wrapper;
			this.ask();
		}

		make_fields() {
			const types = frappe.boot.drip_recipient_types || [];
			const ask = () => this.ask();
			return [
				{
					fieldname: "campaign",
					fieldtype: "Link",
					label: __("Campaign"),
					options: "Drip Campaign",
					reqd: 1,
					default: this.options.campaign,
					hidden: this.options.campaign ? 1 : 0,
					get_query: () => ({ filters: { status: ["!=", "Ended"] } }),
					onchange: ask,
				},
				{
					fieldname: "file_url",
					fieldtype: "Attach",
					label: __("CSV or Excel File"),
					reqd: 1,
					options: { restrictions: { allowed_file_types: [".csv", ".tsv", ".xlsx"] } },
					onchange: () => this.read_file(),
				},
				{ fieldtype: "Column Break" },
				{
					fieldname: "recipient_type",
					fieldtype: "Select",
					label: __("Recipient Type"),
					options: types.map((value) => ({ value, label: __(value) })),
					default: types[0],
					onchange: ask,
				},
				{
					fieldname: "create_missing",
					fieldtype: "Check",
					label: __("Create missing records"),
					depends_on: `eval:${JSON.stringify(CAN_BE_MADE)}.includes(doc.recipient_type)`,
					description: __("Create a record for each row of the file that has none."),
					onchange: ask,
				},
				{ fieldname: "columns_section", fieldtype: "Section Break", label: __("Columns"), hidden: 1 },
				...FACTS.flatMap(([fieldname, label], i) => [
					...(i ? [{ fieldtype: "Column Break" }] : []),
					{ fieldname, fieldtype: "Select", label, options: [""], onchange: ask },
				]),
				{ fieldtype: "Section Break", hide_border: 1 },
				{ fieldname: "numbers", fieldtype: "HTML" },
			];
		}

		async read_file() {
			const file_url = this.dialog.get_value("file_url");
			if (!file_url || file_url === this.file_url) return;
			this.file_url = file_url;
			this.file = await drip_campaigns.call("read_people_file", { file_url }).catch(() => null);
			this.dialog.set_df_property("columns_section", "hidden", this.file ? 0 : 1);
			if (!this.file) return;
			const headings = this.file.headings.filter(Boolean);
			const options = ["", ...headings.map((value) => ({ value, label: frappe.utils.escape_html(value) }))];
			for (const [fact] of FACTS) {
				this.dialog.set_df_property(fact, "options", options);
				await this.dialog.set_value(fact, this.file.mapping[fact] || "");
			}
			this.ask();
		}

		get question() {
			const values = this.dialog.get_values(true) || {};
			const mapping = Object.fromEntries(FACTS.map(([fact]) => [fact, values[fact]]).filter(([, column]) => column));
			const { campaign, recipient_type } = values;
			const create_missing = CAN_BE_MADE.includes(recipient_type) && cint(values.create_missing);
			const mapping_is_known = Boolean(mapping.email_address || mapping.record);
			const question = { campaign, recipient_type, create_missing, file_url: this.file_url };
			return { ...question, mapping: JSON.stringify(mapping), mapping_is_known };
		}

		async ask() {
			if (!this.area) return;
			const { mapping_is_known, ...question } = this.question;
			const asked = JSON.stringify([question, Boolean(this.file)]);
			if (asked === this.asked) return; // Desk also fires a change when a field loses the focus
			this.asked = asked;
			const number = ++this.latest;
			this.allow(false);
			if (!question.campaign || !this.file || !mapping_is_known) {
				drip_campaigns.draw_waiting(this.area, __("Choose a campaign and a file to preview the result."));
				return;
			}
			drip_campaigns.draw_waiting(this.area, __("Checking the rows …"));
			const figures = await drip_campaigns.call("preview_people_file", question).catch(() => null);
			if (number !== this.latest) return;
			this.area.empty();
			if (figures) this.show(figures);
			else this.asked = null;
		}

		show(figures) {
			const count = figures.enrolled + figures.resumed;
			drip_campaigns.draw_preview(this.area, figures);
			this.dialog.get_primary_btn().text(count === 1 ? __("Enroll") : __("Enroll {0}", [format_number(count, null, 0)]));
			this.allow(count);
		}

		allow(allowed) {
			this.dialog.get_primary_btn().prop("disabled", !allowed);
		}

		async enroll() {
			this.allow(false);
			const { mapping_is_known, ...question } = this.question;
			const run = await drip_campaigns.call("enroll_people_file", question).catch(() => null);
			if (!run) return this.allow(true);
			for (const fieldname of ["file_url", "create_missing", "columns_section"]) {
				this.dialog.set_df_property(fieldname, "hidden", 1);
			}
			drip_campaigns.watch_run(this.dialog, this.area, run, this.options.on_done);
		}
	}
})();
