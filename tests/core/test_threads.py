"""Which emails belong to one thread, and the subject of an answer."""

import pytest

from drip_campaigns.core.flow.threads import MOST_REFERENCES, EarlierEmail, find_thread
from drip_campaigns.core.flow.threads import reply_subject as reply


@pytest.mark.parametrize(
	("subject", "answer"),
	[
		("Hello", "Re: Hello"),
		("  Hello ", "Re: Hello"),
		("Re: Hello", "Re: Hello"),
		("RE:re: AW : Re[2]: Hello", "Re: Hello"),
		("Regarding: Hello", "Re: Regarding: Hello"),
		("Hello Re: you", "Re: Hello Re: you"),
		("Re", "Re: Re"),
	],
)
def test_answer_has_one_re(subject, answer):
	assert reply(subject) == answer
	assert reply(answer) == answer


def test_nobody_who_has_got_nothing_is_in_a_thread():
	assert find_thread([]) is None


def test_thread_is_that_of_the_latest_e_mail_and_names_all_of_it_in_their_order():
	earlier = [EarlierEmail("Old", "a", ""), EarlierEmail("New", "b", ""), EarlierEmail("Re: New", "c", "b")]

	thread = find_thread(earlier)

	assert (thread.subject, thread.root, thread.references) == ("Re: New", "b", ("b", "c"))
	assert find_thread(earlier[:1]).references == ("a",)


def test_thread_whose_first_e_mail_is_not_kept_goes_on_under_its_subject():
	thread = find_thread([EarlierEmail("Re: New", "c", "b")])

	assert (thread.subject, thread.root, thread.references) == ("Re: New", "b", ("c",))


def test_long_thread_names_its_first_e_mail_and_the_latest():
	earlier = [
		EarlierEmail("First", "0", ""),
		*(EarlierEmail("Re: First", str(n), "0") for n in range(1, 50)),
	]

	references = find_thread(earlier).references

	assert len(references) == MOST_REFERENCES
	assert (references[0], references[-1]) == ("0", "49")
