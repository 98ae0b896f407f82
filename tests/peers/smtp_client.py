"""Python's smtplib against a server: python3 smtp_client.py PORT WHAT [CERT]"""

import smtplib
import ssl
import sys
from email.message import EmailMessage

port, what = int(sys.argv[1]), sys.argv[2]


def message(to="b@x.org", text="hello\n.dot\n..dots\n"):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@y.org", to, what
    mail.set_content(text)
    return mail


context = ssl.create_default_context(cafile=sys.argv[3]) if len(sys.argv) > 3 else None
if what == "implicit":
    session = smtplib.SMTP_SSL("127.0.0.1", port, timeout=30, context=context)
else:
    session = smtplib.SMTP("127.0.0.1", port, timeout=30)
with session as client:
    if what in ("plain", "implicit"):
        client.send_message(message())
        client.send_message(message())
    elif what == "starttls":
        client.starttls(context=context)
        client.login("ann", "wordpass-7")
        client.send_message(message())
    elif what == "auth":
        client.login("ann", "wordpass-7")
        client.send_message(message())
    elif what == "wrong":
        try:
            client.login("ann", "wrong")
        except smtplib.SMTPAuthenticationError as error:
            print(error.smtp_code)
    elif what == "utf8":
        client.send_message(message("bänk@x.org"), to_addrs=["bänk@x.org"])
        # It says both parameters twice then.
        options = ["SMTPUTF8", "BODY=8BITMIME"]
        client.send_message(message("bänk@x.org"), to_addrs=["bänk@x.org"], mail_options=options)
    elif what == "large":
        client.sendmail("a@y.org", ["b@x.org"], b"Subject: large\r\n\r\n" + b".23456789012345678901234567890\r\n" * 500000)
    elif what == "refused":
        print(sorted(client.sendmail("a@y.org", ["b@x.org", "c@elsewhere.org"], "Subject: x\r\n\r\nx\r\n").items()))
