"""Mails that come back, in the manners of several servers, in words of our own.

Each takes the name of a delivery (`signing.sign_delivery`) and returns the bytes of a mail, lines ending with LF as
mail servers pipe them.
"""

READER = "ada@reader.example"


def bounce_address(name):
    return f"bounces+{name}@mail.veltrix.example"


def original_head(name):
    return f"""\
Return-Path: <{bounce_address(name)}>
From: The AI Briefing <briefing@veltrix.example>
To: {READER}
Subject: Edition 7
Message-ID: <{name}@veltrix.example>
List-Id: The AI Briefing <briefing.veltrix.example>
"""


def report(to, human, fields, returned, *, head="", kind="delivery-status", part="message/rfc822"):
    return f"""\
Return-Path: <>
{head}To: {to}
Subject: What became of your mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="=-cut-here"

--=-cut-here
Content-Type: text/plain; charset=utf-8

{human}
--=-cut-here
Content-Type: message/{kind}

{fields}
--=-cut-here
Content-Type: {part}

{returned}
--=-cut-here--
""".encode()


def postfix(name, status="5.1.1", words="User unknown in virtual mailbox table", action="failed", to=None):
    head = f"Delivered-To: {bounce_address(name)}\nAuto-Submitted: auto-replied\nFrom: MAILER-DAEMON@mx.example\n"
    fields = f"""\
Reporting-MTA: dns; mx.example
X-Postfix-Queue-ID: 4XbY9z1fQz
Arrival-Date: Mon,  4 May 2026 09:00:00 +0000 (UTC)

Final-Recipient: rfc822; {READER}
Original-Recipient: rfc822;{READER}
Action: {action}
Status: {status}
Remote-MTA: dns; mail.reader.example
Diagnostic-Code: smtp; 550 {status} <{READER}>: Recipient address rejected: {words}
"""
    human = f"The server mx.example writes to say that your mail went nowhere.\n\n<{READER}>: {words}"
    returned = original_head(name) + "\nHello\n"
    return report(to or bounce_address(name), human, fields, returned, head=head)


def exim(name):
    """No report as the standard has it: a header that names the addresses, and prose."""
    return f"""\
Return-Path: <>
X-Failed-Recipients: {READER}
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@exim.example>
To: {bounce_address(name)}
Subject: Your mail did not arrive

A mail of yours could not be brought to one of its recipients:

  {READER}
    host mail.reader.example [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<{READER}>:
    550 5.1.1 no such person here

------ What follows is a copy of the head. ------

{original_head(name)}""".encode()


def exchange(name):
    """Encoded human part, sub-codes of its own, and the original's head alone. It came to the plain address."""
    fields = f"""\
Reporting-MTA: dns;EX01.reader.example
Received-From-MTA: dns;mail.veltrix.example
Arrival-Date: Mon, 4 May 2026 09:00:00 +0000

Final-Recipient: rfc822;{READER}
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {READER} not found by SMTP address lookup
X-Display-Name: Ada
"""
    head = "From: Postmaster <postmaster@reader.example>\nX-MS-Exchange-Message-Is-Ndr:\n"
    human = "V2UgZGlkIG5vdCBmaW5kIGhlci4="
    return report(
        "bounces@mail.veltrix.example", human, fields, original_head(name), head=head, part="text/rfc822-headers"
    )


def gmail(name):
    fields = f"""\
Reporting-MTA: dns; googlemail.example
Arrival-Date: Mon, 04 May 2026 02:00:00 -0700 (PDT)
X-Original-Message-ID: <{name}@veltrix.example>

Final-Recipient: rfc822; {READER}
Action: failed
Status: 5.2.1
Remote-MTA: dns; gmail-smtp-in.l.google.example. (192.0.2.27, the server for the domain gmail.example.)
Diagnostic-Code: smtp; 550-5.2.1 The account that you tried to reach is inactive.
 550 5.2.1 See the help pages. a1-20020a05 - gsmtp
Last-Attempt-Date: Mon, 04 May 2026 02:00:01 -0700 (PDT)
"""
    head = "From: Mail Delivery Subsystem <mailer-daemon@googlemail.example>\nAuto-Submitted: auto-replied\n"
    return report(bounce_address(name), "It was not delivered.", fields, original_head(name) + "\nHi\n", head=head)


def sendmail(name):
    """A status that its maker guessed, contradicted by the remote server's own words."""
    fields = f"""\
Reporting-MTA: dns; relay.example

Final-Recipient: RFC822; {READER}
Action: failed
Status: 5.1.1
Diagnostic-Code: SMTP; 554 5.7.1 Blocked: see the list of bad senders
"""
    return report(bounce_address(name), "It failed.", fields, original_head(name))


def qmail(name):
    """Prose with fixed first words (QSBMF), the status in brackets, the original below a line."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@qmail.example
To: {bounce_address(name)}
Subject: failure notice

Hi. This is the qmail-send program at qmail.example.
Sorry to say that your mail found no home.

<{READER}>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

{original_head(name)}
Hello
""".encode()


def full(name):
    return postfix(name, "5.2.2", "The mailbox is full")


def delayed(name):
    return postfix(name, "4.4.1", "Connection timed out", action="delayed")


def delivered(name):
    return postfix(name, "2.0.0", "Delivered to a mailbox", action="delivered")


def out_of_office(name):
    return f"""\
Return-Path: <>
From: Ada <{READER}>
To: {bounce_address(name)}
Subject: I am away
Auto-Submitted: auto-replied
X-Auto-Response-Suppress: All

Until Monday. My colleague's mailbox had a permanent fatal error: 550 5.1.1.

> Message-ID: <{name}@veltrix.example>
""".encode()


def letter_of_a_person(name):
    return f"From: {READER}\nTo: {bounce_address(name)}\nSubject: Thank you\n\nGood edition.\n".encode()


def complaint(name, kind="abuse"):
    fields = f"""\
Feedback-Type: {kind}
User-Agent: SomeLoop/1.0
Version: 1
Original-Mail-From: <{bounce_address(name)}>
Original-Rcpt-To: <redacted@reader.example>
Arrival-Date: Mon, 4 May 2026 09:00:00 +0000
Source-IP: 192.0.2.1
"""
    returned = original_head(name) + "\nHello\n"
    head = "From: Feedback loop <fbl@reader.example>\n"
    return report("abuse@veltrix.example", "A reader says so.", fields, returned, head=head, kind="feedback-report")
