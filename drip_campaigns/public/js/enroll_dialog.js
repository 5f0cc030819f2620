// Add to Campaign: choose the campaign or the records, preview the result, start the run, and watch it.

(() => {
	const POLL_MS = 1500;

	// options: campaign; recipient_type, filters, what (title of the records); on_done
	drip_campaigns.open_enroll_dialog = (options) => new EnrollDialog(options);

	class EnrollDialog {
		constructor(options) {
			this.options = options;
			this.filters = options.filters || [];
			this.latest = 0;
			this.dialog = new frappe.ui.Dialog({
				title: options.what
					? __("Add to Campaign: {0}", [frappe.utils.escape_html(options.what)])
					: __("Enroll in {0}", [frappe.utils.escape_html(options.campaign)]),
				size: "large",
				fields: this.make_fields(),
				primary_action_label: __("Enroll"),
				primary_action: () => this.enroll(),
			});
			this.dialog.show();
			this.area = this.dialog.get_field("numbers").$wrapper;
			if (!options.recipient_type) this.make_filter_area();
			this.refresh();
		}

		make_fields() {
			const { campaign, recipient_type } = this.options;
			const refresh = () => this.refresh();
			const types = frappe.boot.drip_recipient_types || [];
			return [
				{
					fieldname: "campaign",
					fieldtype: "Link",
					label: __("Campaign"),
					options: "Drip Campaign",
					reqd: 1,
					default: campaign,
					hidden: campaign ? 1 : 0,
					get_query: () => ({ filters: { status: ["!=", "Ended"] } }),
					onchange: refresh,
				},
				{
					fieldname: "recipient_type",
					fieldtype: "Select",
					label: __("Recipient Type"),
					options: types.map((value) => ({ value, label: __(value) })),
					default: recipient_type || types[0],
					hidden: recipient_type ? 1 : 0,
					onchange: () => this.make_filter_area() || this.refresh(),
				},
				{ fieldname: "filter_area", fieldtype: "HTML", hidden: recipient_type ? 1 : 0 },
				{ fieldname: "options_section", fieldtype: "Section Break", hide_border: 1 },
				{ fieldname: "start_date", fieldtype: "Date", label: __("Start Date"), default: frappe.datetime.get_today() },
				{ fieldtype: "Column Break" },
				{
					fieldname: "sender",
					fieldtype: "Link",
					label: __("Sender"),
					options: "User",
					description: __("Leave empty for the campaign's sender."),
				},
				{ fieldtype: "Column Break" },
				{
					fieldname: "per_day",
					fieldtype: "Int",
					label: __("Enroll per Day"),
					description: __("Leave empty to enroll everyone now."),
				},
				{ fieldtype: "Section Break", hide_border: 1 },
				{ fieldname: "numbers", fieldtype: "HTML" },
			];
		}

		make_filter_area() {
			const area = this.dialog && this.dialog.get_field("filter_area").$wrapper.empty();
			if (!area || this.options.recipient_type) return;
			this.filters = [];
			const doctype = this.dialog.get_value("recipient_type");
			frappe.model.with_doctype(doctype, () => {
				const group = new frappe.ui.FilterGroup({
					parent: area,
					doctype,
					on_change: () => {
						this.filters = group.get_filters().map((filter) => filter.slice(0, 4));
						this.refresh();
					},
				});
			});
		}

		get audience() {
			return {
				campaign: this.dialog.get_value("campaign"),
				recipient_type: this.options.recipient_type || this.dialog.get_value("recipient_type"),
				filters: JSON.stringify(this.filters),
			};
		}

		// Show only the reply to the latest request. Desk fires a change when a field loses the focus; without the comparison,
		// a click on Enroll right after a choice would hit a button that is disabled at that moment.
		async refresh() {
			if (!this.area) return;
			const asked = JSON.stringify(this.audience);
			if (asked === this.asked) return;
			this.asked = asked;
			const question = ++this.latest;
			this.allow(false);
			if (!this.audience.campaign) {
				drip_campaigns.draw_waiting(this.area, __("Choose a campaign to see who would be enrolled."));
				return;
			}
			drip_campaigns.draw_waiting(this.area, __("Checking who would be enrolled …"));
			const figures = await drip_campaigns.call("preview_enrollment", this.audience).catch(() => null);
			if (question !== this.latest) return;
			if (figures) return this.show(figures);
			this.asked = null;
			this.area.empty();
		}

		show(figures) {
			this.figures = figures;
			const count = figures.enrolled + figures.resumed;
			const confirm = drip_campaigns.draw_preview(this.area, figures);
			this.dialog.get_primary_btn().text(count === 1 ? __("Enroll") : __("Enroll {0}", [format_number(count, null, 0)]));
			this.allow(count && !confirm.length);
			confirm.on("change", () => this.allow(count && confirm.prop("checked")));
		}

		allow(allowed) {
			this.dialog.get_primary_btn().prop("disabled", !allowed);
		}

		async enroll() {
			this.allow(false);
			const { start_date, sender, per_day } = this.dialog.get_values();
			const confirmed_count = this.figures.is_everybody ? this.figures.total : 0;
			const args = { ...this.audience, start_date, sender, per_day: cint(per_day), confirmed_count };
			const run = await drip_campaigns.call("enroll_records", args).catch(() => null);
			if (run) drip_campaigns.watch_run(this.dialog, this.area, run, this.options.on_done);
			else this.allow(true);
		}
	}

	// Show a run until it ends or the dialog closes, by realtime or, where it is off, by polling.
	drip_campaigns.watch_run = (dialog, area, run, on_done) => {
		const fields = ["status", "total", "processed", "enrolled", "refused", "reasons", "error"];
		const ask = async () => {
			const { message } = await frappe.db.get_value("Drip Bulk Enrollment", run.name, fields);
			draw(message);
		};
		const draw = (state) => {
			const going_on = ["Queued", "Running"].includes(state.status);
			area.html(drip_campaigns.draw_run(run.name, state));
			if (going_on && dialog.display) timer = setTimeout(ask, POLL_MS);
			dialog.get_secondary_btn().toggleClass("hide", !going_on);
			if (!going_on) finish();
		};
		const finish = () => {
			frappe.realtime.off("drip_bulk_enrollment", on_progress);
			if (on_done) on_done();
		};
		const on_progress = ({ name }) => {
			if (name !== run.name) return;
			clearTimeout(timer);
			ask();
		};
		let timer = null;
		frappe.realtime.on("drip_bulk_enrollment", on_progress);
		dialog.onhide = () => clearTimeout(timer);
		for (const fieldname of ["options_section", "filter_area", "recipient_type", "campaign"]) {
			if (dialog.has_field(fieldname)) dialog.set_df_property(fieldname, "hidden", 1);
		}
		dialog.set_primary_action(__("Close"), () => dialog.hide());
		dialog.get_primary_btn().prop("disabled", false);
		dialog.set_secondary_action_label(__("Cancel Run"));
		dialog.set_secondary_action(async () => {
			await frappe.call("drip_campaigns.api.desk.cancel_bulk_enrollment", { name: run.name });
			clearTimeout(timer);
			ask();
		});
		draw({ processed: 0, ...run });
	};

	drip_campaigns.draw_run = (name, { status, total, processed, enrolled, refused, reasons, error }) => {
		const going_on = ["Queued", "Running"].includes(status);
		const colors = { Failed: "bg-danger", Cancelled: "bg-secondary" };
		const looked_at = going_on ? processed : enrolled + refused || processed;
		const percent = total ? Math.min(100, (looked_at / total) * 100) : 100;
		const [done, all] = [looked_at, total].map((value) => format_number(value, null, 0));
		const lines = (reasons || "").split("\n").filter(Boolean).map((line) => `<li>${frappe.utils.escape_html(line)}</li>`);
		return `<div class="drip-enroll-preview">
			<div class="progress" style="height: 8px"><div class="progress-bar ${colors[status] || (going_on ? "" : "bg-success")}"
				style="width: ${percent}%"></div></div>
			<div class="figures"><div class="figure good"><b>${format_number(enrolled, null, 0)}</b>${__("enrolled")}</div>
				<div class="figure"><b>${format_number(refused, null, 0)}</b>${__("skipped")}</div>
				<div class="figure"><b>${done} / ${all}</b>${__("checked")}</div></div>
			${error ? `<p class="text-danger">${frappe.utils.escape_html(error)}</p>` : ""}
			${lines.length ? `<ul class="text-muted">${lines.join("")}</ul>` : ""}
			<p>${describe_status(status)} <a href="/app/drip-bulk-enrollment/${encodeURIComponent(name)}">${__("Open run")}</a></p>
		</div>`;
	};

	function describe_status(status) {
		const sentences = {
			Queued: __("Waiting for a background worker. You can close this dialog."),
			Running: __("Running in the background. You can close this dialog."),
			Waiting: __("Today's share is enrolled. The next one follows tomorrow."),
			Completed: __("Done."),
			Cancelled: __("Canceled. People already enrolled stay enrolled."),
			Failed: __("Stopped by an error. Fix the cause, open the run, and click Resume."),
		};
		return sentences[status] || "";
	}
})();
