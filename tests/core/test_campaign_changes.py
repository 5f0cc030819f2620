"""What an edit changes in a campaign, and how it is applied to the campaign as it is now."""

from hypothesis import given
from hypothesis import strategies as st

from drip_campaigns.core.campaign_changes import (
	ChangeKind,
	Snapshot,
	apply_changes,
	compare_words,
	find_changes,
	from_json,
	merge_changes,
	to_json,
)

VALUES = st.sampled_from(["", "a", "b", 0, 1])
ROWS = st.lists(
	st.tuples(st.sampled_from("pqrst"), st.fixed_dictionaries({"subject": VALUES, "days": VALUES})),
	unique_by=lambda row: row[0],
).map(dict)
SNAPSHOTS = st.builds(
	lambda fields, rows: Snapshot(fields, {"steps": rows}),
	st.fixed_dictionaries({"sender": VALUES, "goal": VALUES}),
	ROWS,
)


def snapshot(sender: str = "ada", **steps: str) -> Snapshot:
	return Snapshot({"sender": sender}, {"steps": {name: {"subject": text} for name, text in steps.items()}})


def same(one: Snapshot, other: Snapshot) -> bool:
	"""Say whether two snapshots are equal, in the order of their rows, too."""
	return one == other and [list(rows) for rows in one.tables.values()] == [
		list(rows) for rows in other.tables.values()
	]


@given(SNAPSHOTS, SNAPSHOTS)
def test_changes_turn_one_campaign_into_the_other(before, after):
	applied = apply_changes(before, find_changes(before, after))

	assert applied.conflicts == []
	assert same(applied.snapshot, after)


@given(SNAPSHOTS, SNAPSHOTS)
def test_changes_survive_json(before, after):
	changes = find_changes(before, after)

	assert [from_json(to_json(change)) for change in changes] == changes


@given(SNAPSHOTS, SNAPSHOTS)
def test_changes_that_are_there_already_conflict_with_nothing(before, after):
	changes = [change for change in find_changes(before, after) if change.kind is not ChangeKind.ORDER]

	again = apply_changes(apply_changes(before, changes).snapshot, changes)

	assert again.conflicts == []


def test_change_elsewhere_is_no_conflict():
	changes = find_changes(snapshot(p="Hello", q="Bye"), snapshot(p="Hi", q="Bye"))

	applied = apply_changes(snapshot("bob", p="Hello", q="Goodbye"), changes)

	assert applied.conflicts == []
	assert applied.snapshot == snapshot("bob", p="Hi", q="Goodbye")


def test_text_that_was_changed_in_between_is_a_conflict_and_stays():
	changes = find_changes(snapshot(p="Hello"), snapshot(p="Hi"))

	applied = apply_changes(snapshot(p="Good day"), changes)

	assert applied.snapshot == snapshot(p="Good day")
	[conflict] = applied.conflicts
	assert (conflict.change.old, conflict.change.new, conflict.now) == ("Hello", "Hi", "Good day")


def test_row_that_was_removed_in_between_is_a_conflict():
	changes = find_changes(snapshot(p="Hello", q="Bye"), snapshot(p="Hi", q="Bye"))

	[conflict] = apply_changes(snapshot(q="Bye"), changes).conflicts

	assert conflict.now is None


def test_removed_row_that_was_edited_in_between_is_a_conflict():
	changes = find_changes(snapshot(p="Hello", q="Bye"), snapshot(q="Bye"))

	applied = apply_changes(snapshot(p="New text", q="Bye"), changes)

	assert applied.snapshot == snapshot(p="New text", q="Bye")
	assert applied.conflicts[0].now == {"subject": "New text"}


def test_order_of_rows_that_changed_in_between_is_a_conflict():
	changes = find_changes(snapshot(p="1", q="2"), snapshot(q="2", p="1"))

	assert apply_changes(snapshot(p="1", q="2", r="3"), changes).conflicts


def test_later_change_of_a_place_replaces_the_earlier_one_and_keeps_what_it_was_made_against():
	live = snapshot(p="Hello", q="Bye")
	earlier = find_changes(live, snapshot(p="Hi", q="Bye", r="New"))
	later = find_changes(live, snapshot(p="Hey", q="Bye"))

	merged = apply_changes(live, merge_changes(earlier, later))

	assert merged.conflicts == []
	assert merged.snapshot == snapshot(p="Hey", q="Bye", r="New")


def test_removing_a_row_takes_earlier_edits_of_it_along_and_editing_it_brings_it_back():
	live = snapshot(p="Hello", q="Bye")
	edit = find_changes(live, snapshot(p="Hi", q="Bye"))
	removal = find_changes(live, snapshot(q="Bye"))

	assert apply_changes(live, merge_changes(edit, removal)).snapshot == snapshot(q="Bye")
	assert apply_changes(live, merge_changes(removal, edit)).snapshot == snapshot(p="Hi", q="Bye")


def test_words_that_only_one_text_has_are_marked():
	old, new = compare_words("Hello dear friend", "Hello good friend")

	assert old == [("Hello ", False), ("dear", True), (" friend", False)]
	assert new == [("Hello ", False), ("good", True), (" friend", False)]


def test_link_that_changes_within_markup_is_marked():
	_old, new = compare_words('<a href="https://a.example">x</a>', '<a href="https://b.example">x</a>')

	assert [text for text, differs in new if differs] == ["b"]


@given(st.text(max_size=200), st.text(max_size=200))
def test_pieces_are_the_whole_texts(one, other):
	old, new = compare_words(one, other)

	assert ("".join(text for text, _ in old), "".join(text for text, _ in new)) == (one, other)


def test_very_long_texts_are_compared_as_a_whole():
	old, new = compare_words("a " * 5000, "b " * 5000)

	assert (len(old), len(new)) == (1, 1)
