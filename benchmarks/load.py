"""The email that every measurement sends: about 5 KB of HTML with three links."""

from tests import factories

SUBJECT = "Day {day}: what {{{{ doc.first_name }}}} wanted to know"
_PARAGRAPH = (
	"<p style='margin: 0 0 16px'>A paragraph such as people write: it says what the offer is, whom it is for, and "
	"what happens next. It has a few <b>words in bold</b>, some <em>emphasis</em>, and enough text to be read.</p>\n"
)
_LINKS = (
	"<p>See <a href='https://example.com/offer'>the offer</a>, <a href='https://example.com/prices'>the prices</a> "
	"and <a href='https://example.com/contact'>how to reach us</a>.</p>\n"
)
_STYLE = "<style>p { font-family: sans-serif; line-height: 1.5 } a { color: #1a73e8 }</style>\n"
BODY = f"{_STYLE}<p>Dear {{{{ doc.first_name }}}},</p>\n{_PARAGRAPH * 7}{_LINKS}<p>Yours, {{{{ doc.last_name }}}}</p>"


def steps(count: int) -> list[dict]:
	"""Return `count` daily steps with that text."""
	return [
		factories.step(day, subject=SUBJECT.format(day=day), message_html=BODY, use_html=1)
		for day in range(count)
	]
