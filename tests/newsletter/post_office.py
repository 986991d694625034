"""Mailboxes on loopback for `process_bounces`: as much of IMAP and POP3 as its clients speak."""

import contextlib
import datetime
import ipaddress
import re
import socket
import socketserver
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "bounces", 'pass "word"'


def make_certificate(folder):
    """A certificate for this machine that only those trust who are told its file: certificate and key in one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class Office:
    """The mails of one mailbox: number → [flags, bytes]. `security` is "", "ssl" or "tls" (STARTTLS)."""

    def __init__(self, mails, protocol, security="", certificate=None):
        self.mails = {number: [set(), mail] for number, mail in enumerate(mails, 1)}
        self.protocol, self.security = protocol, security
        self.context = server_context(certificate) if certificate else None

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


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
