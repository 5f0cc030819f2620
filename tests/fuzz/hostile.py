"""Texts that an attacker writes, and strategies that mix them with chance."""

from hypothesis import strategies as st

SCRIPT = "<img src=x onerror=alert(1)>"
TEXTS = (
	SCRIPT,
	"&lt;img src=x onerror=alert(1)&gt;",
	"&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;",
	"<script>alert(1)</script>",
	"<svg/onload=alert(1)>",
	"javascript:alert(1)",
	'"><script>alert(1)</script>',
	"' or 1=1 -- ",
	"'; drop table `tabUser`; --",
	"%s %(name)s {0} {name}",
	"{{ 7*7 }} {% for i in range(9) %}x{% endfor %}",
	"{{ ''.__class__.__mro__ }}",
	"=cmd|'/c calc'!A1",
	"+1+1",
	"-2+3",
	"@SUM(1)",
	"\t=1",
	"\r\nBcc: victim@evil.example",
	"http://evil.example",
	"../../../etc/passwd",
	"__class__",
	"\x00\x1b[2J",
	"\u202e\u2066\ufeff\u200d",
	"'" * 140,
	'"' * 140,
	"\\" * 99,
	"Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
	"𝕳𝖊𝖑𝖑𝖔" * 40,
	"",
	" ",
)
texts = st.one_of(
	st.sampled_from(TEXTS),
	st.text(max_size=300),
	st.tuples(st.sampled_from(TEXTS), st.text(max_size=20)).map("".join),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
trees = st.recursive(
	scalars,
	lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
	max_leaves=12,
)
