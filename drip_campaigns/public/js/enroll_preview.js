// Draw the server's preview of an enrollment: how many will be enrolled or skipped, why, and the first ten.

(() => {
	const escape = (text) => frappe.utils.escape_html(text == null ? "" : String(text));
	const number = (value) => format_number(value, null, 0);

	drip_campaigns.draw_waiting = (area, text) => {
		area.html(`<div class="drip-enroll-preview text-muted py-3">${escape(text)}</div>`);
	};

	// Return the check box that must be selected first if no filter is set.
	drip_campaigns.draw_preview = (area, figures) => {
		area.html(`<div class="drip-enroll-preview">
			${figures.problem ? `<p class="text-danger">${escape(figures.problem)}</p>` : ""}
			${draw_figures(figures)}
			${draw_limit(figures)}
			<div class="columns">
				<div>${draw_reasons(figures.refused)}</div>
				<div>${draw_sample(figures)}</div>
			</div>
			${draw_errors(figures)}
			${figures.is_everybody ? draw_everybody(figures) : ""}
		</div>`);
		return area.find("input.confirm-everybody");
	};

	function draw_figures({ enrolled, resumed, created, refused, errors_count }) {
		// For a file, count every skipped row, whatever the reason.
		const not = errors_count == null ? refused.reduce((sum, row) => sum + row.count, 0) : errors_count;
		const cards = [
			[enrolled + resumed, __("will be enrolled"), "good"],
			[not, __("will be skipped"), ""],
		];
		if (resumed) cards.splice(1, 0, [resumed, __("of these will re-enter where they stopped"), ""]);
		if (created) cards.splice(1, 0, [created, __("of these will be created first"), ""]);
		const one = ([count, label, kind]) => `<div class="figure ${kind}"><b>${number(count)}</b>${label}</div>`;
		return `<div class="figures">${cards.map(one).join("")}</div>`;
	}

	function draw_limit({ total, looked_at }) {
		if (looked_at >= total) return "";
		const text = __("Preview of the first {1} of {0} records. The run checks all of them.", [
			number(total),
			number(looked_at),
		]);
		return `<p class="text-muted">${text}</p>`;
	}

	function draw_reasons(refused) {
		if (!refused.length) return "";
		const rows = refused.map(({ reason, count, examples }) => {
			const more = count > examples.length ? " …" : "";
			return `<tr><td class="count">${number(count)}</td><td>${escape(reason)}
				<div class="examples">${escape(examples.join(", "))}${more}</div></td></tr>`;
		});
		return `<h6>${__("Why skipped")}</h6><table>${rows.join("")}</table>`;
	}

	function draw_sample({ sample, enrolled, resumed }) {
		if (!sample.length) return "";
		const rows = sample.map(
			({ title, email }) => `<tr><td>${escape(title)}</td><td class="email">${escape(email)}</td></tr>`
		);
		const all = enrolled + resumed;
		const heading = all > sample.length ? __("First {0} to be enrolled", [sample.length]) : __("To be enrolled");
		return `<h6>${heading}</h6><table>${rows.join("")}</table>`;
	}

	function draw_errors({ errors, errors_count }) {
		if (!errors || !errors.length) return "";
		const rows = errors.slice(0, 10).map(
			({ row, text }) => `<tr><td class="count">${number(row)}</td><td>${escape(text)}</td></tr>`
		);
		const all = rows.length === errors_count;
		const heading = all ? __("Skipped rows") : __("First {0} skipped rows", [rows.length]);
		return `<h6>${heading}</h6><table>${rows.join("")}</table>`;
	}

	function draw_everybody({ total }) {
		return `<div class="everybody"><label><input type="checkbox" class="confirm-everybody">
			${__("No filter set: this includes all {0} records. Enroll all of them.", [number(total)])}</label></div>`;
	}
})();
