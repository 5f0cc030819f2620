"""What the words of mail servers mean: data for `server_responses.py`, in the order in which they count.

The phrases are those of RFC 3463, of the servers in use (Postfix, Exim, Sendmail, qmail, Exchange, Domino, Courier,
OpenSMTPD), and of the large providers' published lists (Gmail, Microsoft, Yahoo, Apple, Orange, Tencent, KDDI, Amazon SES,
SendGrid, Mailgun, Mimecast, Proofpoint, Barracuda, Spamhaus).
"""

from __future__ import annotations

import re

from drip_campaigns.core.label import Label


class Severity(Label):
	"""What a failed delivery says about the recipient's address."""

	HARD = "Hard"  # it does not exist, or never accepts email
	SOFT = "Soft"  # it can accept email later, or nobody can tell
	SENDER = "Sender"  # the server refuses the sender, the account, the IP address, or the text


class Category(Label):
	"""Why a delivery failed."""

	MAILBOX_FULL = "Mailbox Full"
	USER_UNKNOWN = "User Unknown"
	HOST_UNKNOWN = "Host Unknown"
	MOVED = "Moved"
	POLICY = "Policy"
	SPAM = "Spam"
	BLOCKED_IP = "Blocked IP"
	AUTHENTICATION = "Authentication"
	SENDER_REJECTED = "Sender Rejected"
	RATE = "Rate"
	SIZE = "Size"
	EXPIRED = "Expired"
	GREYLISTED = "Greylisted"
	SYSTEM = "System"
	NOT_UNDERSTOOD = "Not Understood"


Words = tuple[Severity, Category, re.Pattern]


def _words(severity: Severity, category: Category, *phrases: str) -> Words:
	return severity, category, re.compile("|".join(phrases), re.IGNORECASE)


# A gap of a few words inside a sentence
_GAP = r"[^.:<\n]{0,40}?"
_WHO = r"(?:sender|from|mail[- ]from|envelope[- ]from|return[- ]path|originator|reverse[- ]path)"
_BAD = r"(?:reject|denied|den(?:y|ied)|refus|invalid|bad|unknown|not (?:allowed|authori[sz]ed|valid|verified|found|exist|match|owned|accepted|permitted)|does ?n[o']t|isn't|blocked|banned|black|unroutable|must|verif|spammer|empty|prohibited)"

# Words about the sender, the account, its IP address or the text: they count before all others
ABOUT_SENDER = (
	_words(
		Severity.SOFT,
		Category.POLICY,
		r"(?:blocked|rejected|refused) by (?:the |this )?(?:recipient|user)\b(?! domain)|(?:recipient|user) has (?:blocked|rejected)|only accept(?:s|ing) (?:mail|messages|e-?mails?) from|(?:recipient|group|list|mailbox|user|they)\b[^.\n]{0,30}\b(?:is|are) not accepting (?:mail|messages|e-?mails?)",
	),
	_words(
		Severity.SENDER,
		Category.AUTHENTICATION,
		r"5\.7\.30\b|basic auth|\bspf\b|\bdkim\b|\bdmarc\b|sender id\b|domainkeys?|unauthenticated (?:e-?mail|mail|sender|message)",
		r"authentication (?:required|failed|failure|unsuccessful|credentials|checks?|is required)|not authenticated|authenticat\w+ (?:is )?(?:not|required)",
		r"smtpclientauthentication|(?:user ?name|login|password)[^.\n]{0,30}not accepted|must issue a starttls|(?:tls|encryption) (?:is )?required",
		r"verified sender identity|email address is not verified|purported responsible address|fails? to pass authentication",
		r"doesn't pass[^.\n]{0,30}(?:check|authentication)|\barc\b validation",
	),
	_words(
		Severity.SENDER,
		Category.SENDER_REJECTED,
		rf"(?:invalid|bad|bogus|unroutable|unknown|unverified|forged|illegal) {_WHO}\b|\b{_WHO}(?: e-?mail| envelope)?(?: address| domain| name| host| ip)?(?: of)?\W{{0,3}}(?:\S+@\S+ ?|\S+\.\w+ )?{_GAP}{_BAD}",
		r"(?:in reply to|after) (?:the )?mail from\b|domain of (?:the )?sender|sender'?s? (?:domain|address|e-?mail) |valid sender domain|verify (?:the )?(?:sender|your) (?:address|domain)",
		r"sending (?:this )?(?:from )?(?:a different|domain)|sender not pre-?approved|callout verification|sender verify|emetteur invalide|returned mail not accepted",
		r"(?:null|empty) (?:envelope )?senders?|third-party dsn|\bbatv\b|backscatter|bounce address tag",
		r"re-?lay(?:ing)?\b[^.\n]{0,30}(?:denied|disallowed|prohibited|not (?:permitted|allowed)|refused|forbidden|access|rejected|required)|unable to relay|not (?:allowed|permitted|authori[sz]ed)? ?to relay|we do(?: not|n't) relay|(?:not an )?open relay|relay(?:ing)? mail is not|cannot relay|no relaying",
		r"allowed rcpthosts|not (?:in )?my (?:list of )?(?:allowed )?rcpthosts|gatewaying|not a gateway",
		r"account \S*[^@\s]\.[a-z]{2,}\S* is (?:disabled|suspended)|sending (?:is |has been )?(?:suspended|paused|disabled)|(?:your|this) account (?:has been|is) (?:disabled|suspended|blocked)[^.\n]{0,20}sending|maximum credits|credits exceeded",
		r"(?:your|the) (?:e-?mail )?address has been black|bad outbound sender|5\.1\.8\b|5\.1\.7\b|spamming account|list of senders to accept",
		r"access to submit messages|not (?:allowed|authori[sz]ed) to send (?:mail |e-?mail |messages )?(?:from|as|on behalf)|client (?:was )?not authenticated|send ?as ?denied|sendas",
	),
	_words(
		Severity.SENDER,
		Category.RATE,
		r"throttl|daily (?:message|sending) quota|sending (?:rate|limit|quota)|too many (?:connections?|concurrent|messages|recipients|simultaneous|sessions|e-?mails|mails|errors|invalid recipients)|trop de connexions|slow(?:ing)? down|unusual rate|concurren|too (?:fast|quickly|frequent)|hourly (?:limit|quota)",
	),
	_words(
		Severity.SENDER,
		Category.BLOCKED_IP,
		r"dnsbl|\brbls?\b|\bdnswl|spamhaus|spamcop|\bsorbs\b|barracudacentral|barracuda(?:networks)? reputation|senderbase|senderscore|cloudmark|uceprotect|abuseat|invaluement|surbl|uribl|psbl|mailspike|truncate\.gbudb|manitu|junk ?mail filter list|trend ?micro",
		r"(?:black|block|deny|bad) ?-?list(?:ed|s|ing)?\b(?!ed by (?:the )?recipient)|(?<!not )listed (?:at|by|in|on|as) (?!.{0,30}directory)|invalid ip|(?:poor|bad|low|ip|domain|sender|network) reputation|reputation of|mail from (?:ip|your ip)|banned|bannlist",
		rf"client host\b|(?:your|the|sending|remote|connecting|source) (?:ip|host|server|network|mail ?server|mta|client|isp|subnet|address range)s?\b(?: address)?(?: \S+)?{_GAP}(?:block|reject|deni|listed|refus|ban|not allowed|reputation|spam|dynamic|restrict|has no|does ?n|without|resolve|fail|abus|suspicious|unusual|deferred|throttl)",
		r"(?:ip|host|server) (?:address )?\[?\d+\.\d+\.\d+\.\d+\]?[^.\n]{0,40}(?:block|reject|deni|listed|refus|ban|reputation|not allowed)|\d+\.\d+\.\d+\.\d+\]?\W{0,3}(?:is |has been |was )?(?:block|blacklist|listed|banned|reject|not allowed|denied)|blocked (?:using|by (?:our|\S+\.\S+|proofpoint|spam))|block(?:ed)? (?:for|due to) (?:abuse|spam)",
		r"reverse (?:dns|host|hostname|ip|lookup)|\brdns\b|\bptr\b|\bhelo\b|\behlo\b|dynamic(?:ally)? (?:ip|address|assigned|pool|host)|\bdialup\b|residential|no (?:valid )?(?:mx|a) record|fcrdns|cannot find your|hostname lookup|generic host|geographical|country|\bfirewall\b",
		r"not accepting (?:connections?|(?:mail|messages) (?:from (?:you|this|ip|\d)|at|right now))|connection (?:refused|rejected|denied|blocked|dropped)[^.\n]{0,30}(?:polic|abus|spam|your)|(?:smtp )?connections? (?:from )?your|bad ip|ip is (?:not|in)|no ip|s3140|s3150",
	),
)

# Words about the recipient's mailbox for now, or about the size of the text
FOR_NOW = (
	_words(
		Severity.SOFT,
		Category.POLICY,
		r"(?:may|might) not exist,? (?:or|they)|n'existe(?:nt)? pas,? ou|möglicherweise nicht|存在しないか|可能不存在|пожалуй не существует|puede que (?:el grupo )?no exista|peut que le groupe",
	),
	_words(
		Severity.SOFT,
		Category.MAILBOX_FULL,
		r"over ?-?quota|quota[- ](?:exceed|full|violation)|(?:exceed\w*|over|out of|beyond) (?:\w+ ){0,4}quota|disk quota|\bquota\b|storage (?:quota|limit)|out of storage|storage space",
		r"(?:mailbox|mail ?box|inbox|account|mail ?drop|mail ?folder|maildir|user|spool)\b[^.\n]{0,60}\b(?:is |was |are |has )?(?:too )?full\b|full (?:mailbox|inbox)|mailbox (?:size|has exceeded|exceed|storage)|insufficient (?:disk |system )?(?:storage|space)|not enough (?:storage|space|disk)|no (?:free )?space|too much mail|exceeded storage allocation|maximum (?:allowed )?(?:mailbox|storage)|mailfolder is full",
		r"bo[iî]te[^.\n]{0,30}pleine|casella[^.\n]{0,20}piena|buz[oó]n[^.\n]{0,20}lleno|caixa[^.\n]{0,20}cheia|postfach[^.\n]{0,40}(?:voll|überfüllt)|переполнен|容量不足|已满|exceeded the (?:space|storage)|has exceeded (?:his|her|its|their|the)",
	),
	_words(
		Severity.SOFT,
		Category.SIZE,
		r"(?:message|mail|file|e-?mail|size|attachment|header|body|line|data)\b[^.\n]{0,40}\b(?:too (?:large|big|long|heavy)|exceed\w*)[^.\n]{0,60}|too (?:large|big) |exceed\w* (?:the )?(?:maximum |fixed |allowed |max )?(?:message |file |mail )?(?:size|length)|maximum (?:message |file |email )?(?:size|length)|message length|size limit|larger than|5\.2\.3\b|5\.3\.4\b",
	),
	_words(
		Severity.SOFT,
		Category.GREYLISTED,
		r"gr[ea]y-?list|try (?:your message )?again (?:later|in|after)|please (?:try again|retry)|retry (?:later|again)|not found, try again|temporar(?:y|ily)(?! (?:disabled|suspended|locked|inactive))|come back later",
	),
	_words(
		Severity.SOFT,
		Category.RATE,
		r"receiving mail (?:at a rate|too)|at a rate (?:that|which)|rate[- ]?(?:limit|control|exceed)|too many|exceed(?:ed|ing)? (?:the |your |its |their )?(?:\w+ ){0,3}(?:limit|maximum|allowed)|limit (?:exceeded|reached|has been)|message quota|excessive",
	),
)

# Words that say that the mailbox or its domain does not exist, or never accepts email again
DEAD = (
	_words(
		Severity.HARD,
		Category.MOVED,
		r"(?:user|recipient|mailbox|address|account|he|she|person)\b[^.\n]{0,30}\b(?:has |have )?moved\b|mailbox owner has changed|address has been changed|no longer (?:with|at|employed|works?)\b|has left (?:the )?(?:company|organi[sz]ation)|address (?:has been )?replaced by",
	),
	_words(
		Severity.HARD,
		Category.HOST_UNKNOWN,
		r"host(?: or domain)?(?: name)? (?:not found|unknown|lookup failed)|unknown (?:host|domain)|(?:domain|host)(?: name)? (?:does ?n[o']t|do(?:es)? not) exist|no such (?:domain|host)|nxdomain|5\.4\.4 invalid domain|domain (?:not found|name not found|is not reachable|must exist)|unrout(?:e)?able address|name or service not known|recipient domain (?:must|name|not|does|unknown)|illegal (?:host|domain)|host \S{1,100} (?:not found|unknown)|mail domain mentioned|domain has been (?:disabled|removed)|nullmx|null mx|does not accept mail|bad destination (?:host|system)|invalid domain name|the domain name?[^.\n]{0,20} couldn't be found|dns domain[^.\n]{0,40}does ?n|no mail (?:server|exchanger)s? for|no mx (?:record )?(?:found )?for",
	),
	_words(
		Severity.HARD,
		Category.USER_UNKNOWN,
		r"(?:user|recipient|addressee?|mailbox|account|alias|destination|person|rcpt)s?(?: e-?mail)?(?: address)?(?:es)?(?: \S+)?(?: is| was| were| are| name)?\W{0,3}(?:unknown|not known|not found|notfound|nonexistent|inexistent|undeliverable)\b",
		r"unknown (?:or \w+ )?(?:virtual |local )?(?:user|recipient|mailbox|address|addressee|account|alias|local[- ]part)|userunknown|no such (?:\w+ )?(?:user|recipient|mailbox|person|address|account|id|local|entry|alias|e-?mail|mail ?drop)",
		r"(?:does ?n[o']t|do not|did not|didn't|don't|doesnt|not) (?:currently )?exist\b|non-?exist[ae]nt|can(?:no|')t (?:be )?(?:find|found|locate|accept user)|address could ?n[o']t be (?:found|located)",
		r"no (?:mail ?box|account|user|address|recipient)s?\b[^.\n]{0,30}(?:here|found|by that name|with (?:that|this)|available|at this|exists?|matches|for this|of that)|no (?:one|body) (?:at|by)|is not (?:a )?(?:known|valid|local|listed|active|registered|current)|(?:not|n't) (?:a )?valid (?:e-?mail|user|recipient|mailbox|address|account)|not our customer|not a customer|not in (?:our|the|my) (?:directory|system|database|address book)|not listed in (?:domino )?(?:directory|public)",
		r"(?:invalid|illegal|bad|wrong|incorrect|nonexistent|obsolete|badly formed) (?:\w+ )?(?:recipient|mailbox|(?<!sender )address|user|account|rcpt|destination|e-?mail)|(?:mailbox|recipient|address|user|account)\b[^.\n]{0,40}\b(?:invalid|incorrect|wrong)\b|possibly incorrect|badrcptto|badrecipientto|bad rcpt|badrcpt|validrcptto|invalid-recipient|envelope recipient",
		r"(?:account|mailbox|mail ?box|user|address|recipient|e-?mail|(?:e-?mail|mail) account)s?\b[^.\n]{0,60}\b(?:is |are |has been |have been |was |currently |temporarily )*(?:disabled|deactivated|inactive|suspended|discontinued|terminated|closed|cancel+ed|expired|deleted|removed|frozen|locked|archived|no longer (?:valid|active|available|exists?|in use|used|accept\w*|on|monitored)|not (?:an? )?(?:present|active|recogni[sz]ed|available for|ok\b|local|exist))|(?:disabled|deactivated|inactive|expired|closed|suspended|terminated|frozen)(?: or \w+)? (?:account|user|mailbox|recipient)|invalid/inactive|no longer accept|suspend the service|extended inactivity|destinataire archivee",
		r"does ?n[o']t have an?[^\n]{0,60}account|invalid final delivery|not (?:have )?an? account|recipient address rejected: (?:access denied|invalid|undeliverable|unknown|user|no such)|user missing home|unknown virtual|undeliverable address|recipient(?: is)? not (?:ok|accepted|found|exist)|no valid recipients?|not an? (?:active|local) address|e-?mail name is not|not e-?mail addresses|refuses to accept your mail|address(?:ee)? unknown|not present in directory|ldap|invalid userid|#5\.1\.1 bad|resolver\.adr\.(?:recip\w* ?notfound|ex\w*notfound)|recipientnotfound|rejected recipients|mailbox path|mailbox unavaiable|account unavailable|thank you rejected|following recipients? (?:was|were) undeliverable|is wrong or no longer",
		r"previously bounced|does not have a final email delivery point|no matches to nameserver query|directory fails to locate|no existe|nessun utente|utente (?:sconosciuto|inesistente|non)|casella[^.\n]{0,30}(?:inesistente|non)|(?:utilisateur|destinataire|adresse)[^.\n]{0,60}(?:inconnue?|invalide|inexistant|n'existe)|n['’]existe pas|unbekannt|existiert nicht|nicht (?:gefunden|bekannt|vorhanden)|não existe|inexistente|desconhecid|desconocid|bestaat niet|onbekend|не существует|не найден|неизвестн|нет такого|отключен|不存在|存在しない|存在しません|見つかりません|宛先不明|リストにありません|用户不存在",
	),
)

# Words that name nobody: they count after all others
VAGUE = (
	_words(
		Severity.SOFT,
		Category.EXPIRED,
		r"not delivered within|retry (?:time(?:out)?|period)|time(?:d)?[- ]?out|delivery (?:time|period)? ?expired|expired|could not be delivered (?:for|within|after)|unable to deliver[^.\n]{0,40}(?:for|within|after) \d|too long|queue(?:d)? (?:too long|lifetime)|been in the queue|not been (?:collected|delivered) for|delivery (?:timed|delayed)|4\.4\.7|4\.4\.1\b|giving up",
	),
	_words(
		Severity.SENDER,
		Category.SPAM,
		r"spam|junk|unsolicited|bulk|\buce\b|\bube\b|virus|malware|trojan|infected|phish|worm|malicious|suspicious|(?:message|mail|content|e-?mail)\b[^.\n]{0,40}\b(?:content|filtered|classified|flagged|scored|abus|resembl|prohibited|not allowed|rejected (?:by|due|because|as|for)|blocked|deni)|content[^.\n]{0,30}(?:reject|filter|not)|(?:bad|prohibited|forbidden|disallowed|illegal) (?:attachment|content|word|header|subject|url|link|phrase)|attachment|\[299\]|abuse|score",
	),
	_words(
		Severity.SOFT,
		Category.POLICY,
		r"only (?:accepts?|accepting)|(?:recipient|group|list|mailbox|user)\b[^.\n]{0,40}\b(?:restrict|does ?n[o']t accept|not accepting|is not accepting|has blocked|refuses|rejects? messages)|user (?:reject|refuses)|(?:rejected|blocked|refused) (?:by|due to) (?:the |this )?(?:recipient|user)|recipient preferences|user rules|distribution list|mailing list|moderated|members?[- ]only|resolver\.rst|not (?:allowed|authori[sz]ed|permitted)\b[^.\n]{0,30}\bto (?:send|post|write|deliver)[^.\n]{0,20}\b(?:recipient|group|list|user|mailbox)|protected by",
	),
	_words(
		Severity.SENDER,
		Category.POLICY,
		r"polic(?:y|ies)|prohibit|not (?:allowed|permitted|authori[sz]ed|acceptable|rfc|compliant)|access denied|administrative|forbidden|restricted|local(?:ly)? configur|blocked|security (?:polic|reason|violat|check)|violat|rejected by|refused by|denied by|denied|protocol|syntax|rfc ?\d|bare (?:lf|cr|newline)|duplicate header|missing header|command (?:rejected|not)|bad command|pipelin",
	),
	_words(
		Severity.SOFT,
		Category.SYSTEM,
		r"service (?:is )?(?:unavailable|not available|currently)|system (?:error|not|is)|server (?:error|busy|down|is|not)|local (?:error|delivery|configuration)|internal|software|resources?|overload|busy|configuration|disk|write error|i/o|lookup|route|routing|network|connect(?:ion)?|unreachable|host (?:is )?down|no (?:answer|response)|lost|unable to|failed|command (?:died|failed|output)|exit|procmail|mailer|pipe|transaction failed|problem",
	),
)

# Words that a hard code alone can rest on: not every server says more
RECIPIENT_REFUSED = re.compile(
	r"(?:mailbox|recipient|address|user|account)\b[^.\n]{0,40}\b(?:unavailable|rejected|refused|not accepted|denied|blocked)|bad address",
	re.IGNORECASE,
)

# Words about the server itself: with them, a hard code alone is no evidence
CONTRADICTION = re.compile(
	r"service (?:is )?(?:un|not )available|too many (?:hops|received)|\bloop(?:ing|s)?\b|internal (?:\w+ )?error|(?:system|media|server|configuration|lookup|local|protocol) error",
	re.IGNORECASE,
)
