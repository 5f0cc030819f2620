"""What strangers type is kept on one line, and short."""

import pytest

from drip_campaigns.core.plain_text import one_line


@pytest.mark.parametrize(
	("text", "kept"),
	[
		("  too   many\r\nBcc: eve@evil.example ", "too many Bcc: eve@evil.example"),
		("a\x00b\x1b[31mc\u2028d\x85e", "a b [31mc d e"),
		("x" * 99, "x" * 40),
		("شكراً\u200c جزيلاً", "شكراً\u200c جزيلاً"),
	],
)
def test_text_is_one_short_line_without_control_characters(text, kept):
	assert one_line(text, 40) == kept
