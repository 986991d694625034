"""Mailboxes on loopback for `process_bounces`: as much of IMAP and POP3 as its clients speak."""

import contextlib
import re
import socketserver
import threading

USER, PASSWORD = "bounces", 'pass "word"'


class Office:
    """The mails of one mailbox: number → [flags, bytes]. `security` is "", "ssl" or "tls" (STARTTLS)."""

    def __init__(self, mails, protocol, security="", context=None):
        self.mails = {number: [set(), mail] for number, mail in enumerate(mails, 1)}
        self.protocol, self.security = protocol, security
        self.context = context

    @property
    def left(self):
        return [(sorted(flags), mail) for flags, mail in self.mails.values()]

    @contextlib.contextmanager
    def open(self, **changes):
        """Serve; the options of `settings.BOUNCE_MAILBOX`."""
        office = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError):
                    if office.security == "ssl":
                        self.starttls()
                    (imap if office.protocol == "imap" else pop3)(office, self)

            def starttls(self):
                self.request = office.context.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
                self.request.do_handshake()
                self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)

            def finish(self):
                with contextlib.suppress(OSError):
                    super().finish()
                self.request.close()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """Nothing: a client that refuses the certificate hangs up."""

        with Server(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield {
                    "protocol": self.protocol,
                    "security": self.security,
                    "host": "127.0.0.1",
                    "port": server.server_address[1],
                    "username": USER,
                    "password": PASSWORD,
                    "folder": "INBOX",
                    **changes,
                }
            finally:
                server.shutdown()
                thread.join()


def crlf(mail):
    return b"\r\n".join(mail.splitlines()) + b"\r\n"


def imap(office, line):
    def say(text):
        line.wfile.write(text if isinstance(text, bytes) else text.encode() + b"\r\n")

    say("* OK here")
    while said := line.rfile.readline().decode().strip():
        tag, command, *rest = said.split(" ", 2)
        rest = rest[0] if rest else ""
        if command == "UID":
            command, rest = rest.split(" ", 1)
        answer = "OK done"
        match command:
            case "CAPABILITY":
                say("* CAPABILITY IMAP4rev1 STARTTLS")
            case "STARTTLS":
                say(f"{tag} OK begin")
                line.starttls()
                continue
            case "LOGIN":
                good = rest in (f'{USER} "pass \\"word\\""', f'"{USER}" "pass \\"word\\""')
                answer = "OK in" if good else "NO wrong password"
            case "SELECT":
                answer = "OK open" if rest == '"INBOX"' else "NO such folder"
            case "SEARCH":
                new = [str(number) for number, (flags, _) in office.mails.items() if not flags]
                say(" ".join(["* SEARCH", *new]))
            case "FETCH":
                number, limit = int(rest.split()[0]), int(re.search(r"<0\.(\d+)>", rest)[1])
                mail = crlf(office.mails[number][1])[:limit]
                say(f"* 1 FETCH (UID {number} BODY[]<0> {{{len(mail)}}}\r\n".encode() + mail + b")\r\n")
            case "STORE":
                number, flag = re.match(r"(\d+) \+FLAGS\.SILENT \((\S+)\)", rest).groups()
                office.mails[int(number)][0].add(flag)
            case "EXPUNGE":
                office.mails = {n: mail for n, mail in office.mails.items() if r"\Deleted" not in mail[0]}
            case "LOGOUT":
                say(f"* BYE\r\n{tag} OK bye")
                return
        say(f"{tag} {answer}")


def pop3(office, line):
    def say(*lines):
        line.wfile.write(b"".join(text.encode() + b"\r\n" for text in lines))

    deleted = []
    say("+OK here")
    while said := line.rfile.readline().decode().strip():
        command, _, rest = said.partition(" ")
        match command:
            case "CAPA":
                say("+OK", "STLS", ".")
            case "STLS":
                say("+OK begin")
                line.starttls()
            case "PASS" if rest != PASSWORD:
                say("-ERR wrong password")
            case "LIST":
                say("+OK", *(f"{number} {len(mail)}" for number, (_, mail) in office.mails.items()), ".")
            case "RETR" | "TOP":
                mail = office.mails[int(rest.split()[0])][1]
                say("+OK")
                line.wfile.write(re.sub(rb"^\.", b"..", crlf(mail), flags=re.MULTILINE) + b".\r\n")
            case "DELE":
                deleted.append(int(rest))
                say("+OK")
            case "QUIT":
                for number in deleted:
                    del office.mails[number]
                say("+OK bye")
                return
            case _:
                say("+OK")
