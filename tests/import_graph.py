"""Print the imports between the folders of the app: `python -m tests.import_graph`.

One line per folder, in the order of `ORDER`, then the number of cycles between folders and of imports back up the order.
"""

import sys
from collections import Counter

from tests.test_boundaries import MODULES, ORDER, find_circles, own_imports, room_of


def count_imports() -> dict[str, Counter[str]]:
	"""Return, for each folder of ORDER, how many imports it has from each other folder."""
	graph: dict[str, Counter[str]] = {room: Counter() for room in ORDER}
	for path in MODULES:
		room = room_of(path)
		if room in ORDER:
			graph[room].update(
				target
				for name in own_imports(path)
				if (target := name.split(".")[1]) in ORDER and target != room
			)
	return graph


def count_imports_back(graph: dict[str, Counter[str]]) -> int:
	"""Return how many imports lead from a folder to a later one of ORDER."""
	places = list(ORDER)
	return sum(
		count
		for room, targets in graph.items()
		for target, count in targets.items()
		if places.index(target) > places.index(room)
	)


def main() -> None:
	"""Print the graph and the two counts."""
	graph = count_imports()
	for room, targets in graph.items():
		imports = ", ".join(f"{target} {targets[target]}" for target in ORDER if targets[target])
		print(f"{room}: {imports or 'nothing'}")
	cycles = list(find_circles({room: set(targets) for room, targets in graph.items()}))
	print(
		f"{len(graph)} folders, {len(cycles)} cycles, {count_imports_back(graph)} imports back up the order"
	)


if __name__ == "__main__":
	sys.exit(main())
