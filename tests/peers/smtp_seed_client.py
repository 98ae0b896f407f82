"""An SMTP client as students of a course write it: one send and one recv a step, and replies compared as whole texts.

Usage: smtp_seed_client.py PORT [bare]. With `bare` commands have no CRLF at their end. Prints each reply.
"""
import base64
import socket
import sys

END = "" if "bare" in sys.argv else "\r\n"


def b64(text):
    return base64.b64encode(text.encode()).decode()


def main():
    client = socket.socket()
    client.settimeout(30)
    client.connect(("127.0.0.1", int(sys.argv[1])))

    def hear(expected, whole=False):
        reply = client.recv(1024).decode()
        print(repr(reply))
        if not (reply == expected + "\r\n" if whole else reply.startswith(expected)):
            sys.exit("expected " + expected)

    def say(text, expected, whole=False):
        client.send(text.encode())
        hear(expected, whole)

    hear("220")
    say("EHLO client.com" + END, "250")
    say("AUTH LOGIN" + END, "334")
    say(b64("barbie") + END, "334")
    say(b64("helloken") + END, "235 Authentication succeeded", whole=True)
    say("MAIL FROM:<barbie@client.com>" + END, "250")
    say("RCPT TO:<ken@server.com>" + END, "250")
    say("DATA" + END, "354 Enter message, ending with '.' on a line by itself", whole=True)
    say("Subject: hi\r\n\r\nHello Ken,\r\nhow are you?" + "\r\n.\r\n" + "\r\n", "250")
    say("QUIT" + END, "221")
    client.close()


main()
