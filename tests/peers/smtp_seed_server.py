# An SMTP server as students of a course write it: one recv a step, whole texts, a multi-line greeting, and a last line of
# EHLO's answer that is not one. Usage: smtp_seed_server.py [PORT]; says its port, then each thing it was sent. Without a port it
# serves one client, and ends, and one of its replies has no end; with one it serves all, one after the other.
import base64
import socket
import sys

GREETING = "220-mail.example ESMTP\r\n220-We do not authorize the use of this system\r\n220 and/or bulk e-mail.\r\n"
END = "\r\n.\r\n"


def b64(text):
    return base64.b64encode(text.encode()).decode()


def main():
    server = socket.create_server(("127.0.0.1", int((sys.argv[1:] or [0])[0])))
    print(server.getsockname()[1], flush=True)
    while True:
        client, _ = server.accept()
        serve(client)
        client.close()
        if len(sys.argv) < 2:
            break


def serve(client):
    def hear():
        text = client.recv(4096).decode()
        print(repr(text), flush=True)
        return text

    def say(text):
        client.sendall(text.encode())

    say(GREETING)
    hello = hear()
    if not hello.startswith("EHLO"):
        return say("500 Syntax error\r\n")
    say("250-{} Hello\r\n".format(hello.split()[1]))
    if hear().strip() != "AUTH LOGIN":
        return say("500 Syntax error\r\n")
    say("334 " + b64("User name please") + "\r\n")
    user = base64.b64decode(hear().strip()).decode()
    say("334 " + b64("And the password") + "\r\n")
    password = base64.b64decode(hear().strip()).decode()
    if (user, password) != ("barbie", "helloken"):
        return say("535 Incorrect\r\n")
    say("235 Authentication succeeded\r\n")
    if not hear().startswith("MAIL FROM:"):
        return say("500 Syntax error\r\n")
    say("250 OK\r\n")
    if not hear().startswith("RCPT TO:"):
        return say("500 Syntax error\r\n")
    say("250 Accepted" if len(sys.argv) < 2 else "250 Accepted\r\n")
    if hear().strip() != "DATA":
        return say("500 Syntax error\r\n")
    say("354 Enter message, ending with '.' on a line by itself\r\n")
    text = ""
    while END not in text:
        text += hear()
    say("250 OK\r\n")
    if hear().strip() == "QUIT":
        say("221 mail.example closing connection\r\n")


main()
