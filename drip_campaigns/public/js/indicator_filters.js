// Frappe 15 sets the two filters of an indicator one after the other, and loses the first when the route changes in between.
function filter_by_indicators(list) {
	const choose = async (event) => {
		const indicator = event.target.closest(".indicator-pill.filterable");
		if (!indicator || event.metaKey || event.ctrlKey) return;
		event.stopPropagation();
		await list.filter_area.set(indicator.dataset.filter.split("|").map((filter) => [list.doctype, ...filter.split(",")]));
		list.refresh();
	};
	list.$result[0].addEventListener("click", choose, true);
}
