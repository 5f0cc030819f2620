// What enrolling would do, drawn: how many, how many not and why, and ten of them. The server's preview has the figures.

(() => {
	const escape = (text) => frappe.utils.escape_html(text == null ? "" : String(text));
	const number = (value) => format_number(value, null, 0);

	drip_campaigns.draw_waiting = (area, text) => {
		area.html(`<div class="drip-numbers text-muted py-3">${escape(text)}</div>`);
	};

	// Returns the check box that must be ticked first, if the audience is everybody.
	drip_campaigns.draw_numbers = (area, figures) => {
		area.html(`<div class="drip-numbers">
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
		// Of a file, every row that is not used counts, whether a rule or the row itself is the cause.
		const not = errors_count == null ? refused.reduce((sum, row) => sum + row.count, 0) : errors_count;
		const cards = [
			[enrolled + resumed, __("will be enrolled"), "good"],
			[not, __("will not"), ""],
		];
		if (resumed) cards.splice(1, 0, [resumed, __("of these go on where they stopped"), ""]);
		if (created) cards.splice(1, 0, [created, __("of these are created first"), ""]);
		const one = ([count, label, kind]) => `<div class="figure ${kind}"><b>${number(count)}</b>${label}</div>`;
		return `<div class="figures">${cards.map(one).join("")}</div>`;
	}

	function draw_limit({ total, looked_at }) {
		if (looked_at >= total) return "";
		const text = __("Of {0} records the first {1} were looked at; the run looks at all.", [
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
		return `<h6>${__("Why not")}</h6><table>${rows.join("")}</table>`;
	}

	function draw_sample({ sample, enrolled, resumed }) {
		if (!sample.length) return "";
		const rows = sample.map(
			({ title, email }) => `<tr><td>${escape(title)}</td><td class="email">${escape(email)}</td></tr>`
		);
		const all = enrolled + resumed;
		const heading = all > sample.length ? __("The first {0}", [sample.length]) : __("Who will be enrolled");
		return `<h6>${heading}</h6><table>${rows.join("")}</table>`;
	}

	function draw_errors({ errors, errors_count }) {
		if (!errors || !errors.length) return "";
		const rows = errors.slice(0, 10).map(
			({ row, text }) => `<tr><td class="count">${number(row)}</td><td>${escape(text)}</td></tr>`
		);
		const all = rows.length === errors_count;
		const heading = all ? __("Rows that are not used") : __("The first {0} rows that are not used", [rows.length]);
		return `<h6>${heading}</h6><table>${rows.join("")}</table>`;
	}

	function draw_everybody({ total }) {
		return `<div class="everybody"><label><input type="checkbox" class="confirm-everybody">
			${__("This is every record of this kind: {0}. Yes, I mean all of them.", [number(total)])}</label></div>`;
	}
})();
