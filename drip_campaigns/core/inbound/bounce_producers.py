"""The mail systems whose bounces are free text: where each names the failed address. Data for `free_text_bounces.py`.

A new producer is a row and a test. Most systems put the address on a line of its own, or between brackets, with the reason
after it: `free_text_bounces.py` reads those without a row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ADDRESS = r"(?P<address>[^\s<>()\[\]:;,\"']{1,64}@[\w.-]{1,200})"


@dataclass(frozen=True)
class Producer:
	"""A mail system: how its failed recipients are found. `source` is where its form is described."""

	name: str
	source: str
	failed: re.Pattern  # with a group `address`; each match is a failed recipient
	looks: re.Pattern | None = None  # what the text must have too

	def find(self, text: str) -> list[re.Match]:
		"""Return the matches of failed recipients in a text."""
		if self.looks and not self.looks.search(text):
			return []
		return list(self.failed.finditer(text))


def _producer(name: str, source: str, failed: str, looks: str = "") -> Producer:
	flags = re.IGNORECASE | re.MULTILINE
	failed = failed.replace("ADDRESS", _ADDRESS)
	return Producer(name, source, re.compile(failed, flags), re.compile(looks, flags) if looks else None)


PRODUCERS = (
	_producer(
		"qmail", "qmail-send(8), QSBMF", r"^<ADDRESS>:", r"qmail-send program|QSBMF|wasn't able to deliver"
	),
	_producer(
		"OpenSMTPD and DragonFly",
		"OpenSMTPD bounce.c; dma",
		r"^ADDRESS: ",
		r"This is the MAILER-DAEMON, please DO NOT REPLY",
	),
	_producer(
		"Exim",
		"Exim specification, bounce_message_file",
		r"^  (?! )<?ADDRESS>?\s*$",
		r"The following address(?:\(es\))? failed|created automatically by mail delivery software",
	),
	_producer(
		"Gmail",
		"Google Workspace Admin Help, bounce messages",
		r"(?:to the following recipients? (?:failed|has failed)[^\n]*\n+\s+|wasn't delivered to |Your message to )<?ADDRESS",
	),
	_producer(
		"Exchange 2003",
		"Microsoft KB 284204",
		r"did not reach the following recipient\(s\):\s*\n\s*\n?(?:.*<)?ADDRESS",
	),
	_producer(
		"Exchange and Outlook",
		"Microsoft Learn, NDRs in Exchange Online",
		r"(?:Delivery has failed to these recipients or (?:distribution lists|groups)|could ?n[o']t be delivered to)[:.]?\s*\n?(?:\s*\n)*(?:.{0,80}[(<])?ADDRESS",
	),
	_producer(
		"Domino",
		"HCL Domino documentation, delivery failure reports",
		r"was not delivered to:?\s*\n+\s*(?:.{0,80}<)?ADDRESS",
	),
	_producer("Lotus Notes", "HCL Notes documentation", r"-+ Failure Reasons\s+-+[\s\S]{0,400}?^ADDRESS"),
	_producer(
		"Mimecast",
		"Mimecast Community, bounce notifications",
		r"^-- ADDRESS",
		r"attempted to send to the following address|could not be delivered",
	),
	_producer(
		"Sun Messaging Server",
		"Oracle Messaging Server documentation",
		r"Recipient address: *(?:@\S+?:)?ADDRESS",
	),
	_producer(
		"IMail",
		"Ipswitch IMail documentation",
		r"^(?:unknown user|user mailbox exceeds allowed size|invalid final delivery userid|undeliverable to|delivery userid|Unknown local user)(?:[^\n:@]{0,40}[:\s])? *<?ADDRESS",
	),
	_producer(
		"MailMarshal",
		"Trustwave MailMarshal documentation",
		r"(?:recipients?|message to)[^\n]{0,60}:\s*\n\s*ADDRESS",
		r"MailMarshal",
	),
	_producer("Yahoo", "Yahoo Sender Hub", r"^<ADDRESS>:", r"unable to deliver|Sorry, we were"),
	_producer(
		"GMX and web.de",
		"GMX postmaster",
		r"^\"?<?ADDRESS>?\"?:?\s*\n\s*(?:SMTP error|.*reason)",
		r"automatically by mail delivery software|1&1|GMX",
	),
	_producer("AOL", "AOL postmaster", r"(?:while talking to|RCPT To:)\s*<ADDRESS>"),
	_producer(
		"Zoho",
		"Zoho Mail help",
		r"^\s*\[?(?:Status: Error, Address: )?<?ADDRESS>?,? +(?:Invalid Address|ERROR_CODE|Status)",
	),
	_producer(
		"docomo and KDDI",
		"NTT docomo and KDDI help pages",
		r"^<ADDRESS>",
		r"could not be delivered|Each of the following|user unknown",
	),
	_producer(
		"Courier",
		"Courier mail server, dsn",
		r"^<ADDRESS>:\s*$",
		r"delivery status notification from|courier",
	),
	_producer(
		"SurfControl",
		"SurfControl E-mail Filter documentation",
		r"^\s*(?:To|Sent To|RCPT TO):?\s*<?ADDRESS",
		r"SurfControl",
	),
	_producer("MailFoundry", "MailFoundry documentation", r"Unable to deliver message to: *<ADDRESS>"),
	_producer(
		"X5, Japanese carriers",
		"KDDI and au help pages",
		r"To: +<?ADDRESS>?",
		r"Failed Recipient|could not be delivered|^-+ (?:Failure|Failed)",
	),
)

# Where the returned message begins: what follows says nothing about the failure
RETURNED = re.compile(
	r"^(?:-{2,}.{0,10}(?:below this line|original message|this is a copy|returned (?:message|mail)|message (?:header|text)|unsent message|copy of|header|begin|the header|included message)"
	r"|received: ?(?:from|by|\(|with|$)|return-path: ?|.{0,40}original message (?:follows|headers?|-|attached|header)|\s*-{3,} ?original|={5,} ?original|-+ ?message header|-{3,} the (?:unsent|body)"
	r"|mime-version: |content-type: |x-[\w-]{3,40}: ?|dkim-signature: |received-from-mta|message headers? follow|the (?:first|header) .{0,30} of (?:the|your) (?:original|message)|the text you sent follows"
	r"|-- ?(?:[\w=]+)$|----- (?:message|original|unsent|transcript of original)|\*{3,} ?original|<<< original|this is the (?:original|message header)|.{0,20}following (?:is|are) (?:a copy|the (?:first|header|original)))",
	re.IGNORECASE | re.MULTILINE,
)

# A text that says that a delivery failed for good, in the languages that mail systems write
FAILED = re.compile(
	r"(?:could|can|was|were|has|have|is|did|does|do|will)(?:n't| ?not)(?: be| been)? (?:\w+ )?(?:deliver|reach|sent|accept|transmit|process)|undeliver|unable to (?:deliver|send)|not (?:be )?deliver|(?:wasn't|not) able to deliver|failed mail|wasn't delivered|couldn't be delivered"
	r"|deliver\w*[^.\n]{0,40}(?:fail|unsuccess|error|impossible)|failed (?:to deliver|recipient|delivery|permanently|for)|fail(?:ed|ure)[^.\n]{0,40}(?:deliver|recipient|address)|returned (?:to|mail|message|undeliver|because)|permanent (?:error|fail)|fatal error|giving up|given up|rejected|refused|bounced|abort|trouble delivering|expired"
	r"|(?:user|recipient|address|mailbox|host)\b[^.\n]{0,30}(?:unknown|not found|invalid|does not exist|not exist)|no such user|unknown user|invalid (?:recipient|address)|(?<![\d.])55[0-4][ -]|(?<![\d.])5\.\d{1,2}\.\d{1,3}(?![\d.])"
	r"|unzustellbar|nicht (?:zugestellt|zustellbar|übermittelt)|konnte nicht|fehlgeschlagen|n'a pas pu|non remis|échec|impossible de remettre|no (?:se )?(?:ha )?(?:podido|pudo|puede) entreg|non (?:è stato possibile|consegna|recapit)|não (?:pôde|foi|pode) (?:ser )?entreg"
	r"|kon niet|kunde inte|не (?:было |была |может быть )?доставлен|не удалось|ошибка|配信(?:でき|不能)|送信でき|届きません|お届けでき|送れません|无法(?:投递|发送|送达)|被退回|退信|投递失败|メッセージを(?:配信|送信)|エラー",
	re.IGNORECASE,
)

# A text that says that a delivery is late, and goes on
DELAYED = re.compile(
	r"\bdelay(?:ed)?\b|warning message only|do(?:es)? not need to (?:resend|re-send|send)|will (?:be retried|continue|keep|try again|retry)|still (?:being |be )?(?:tr[yi]|attempt|in the queue|undelivered)|not yet (?:been )?deliver|has not been delivered yet|continue to (?:try|attempt)|keep trying|no action is required|attempts? (?:to deliver )?will (?:be|continue)|temporarily (?:delayed|deferred)|transient|verzögert|retard|wird weiter versucht|遅延|延迟",
	re.IGNORECASE,
)
GAVE_UP = re.compile(
	r"giv(?:en|ing) up|gave up|permanent(?:ly)? (?:error|fail)|could not be delivered (?:for|within)|has been (?:removed|returned)|final(?:ly)? fail|no further (?:attempts|delivery)|expired|failed permanently|too long|unable to deliver[^.\n]{0,60}(?:for|after|within)",
	re.IGNORECASE,
)
