"""aiosmtpd, writing each message to a file of its own, as quickly as it can: no fsync, no rename.

Usage: aiosmtpd_files.py PORT DIR
"""

import asyncio
import itertools
import sys

from aiosmtpd.smtp import SMTP

port, folder = int(sys.argv[1]), sys.argv[2]
numbers = itertools.count()


class Files:
    async def handle_DATA(self, server, session, envelope):
        with open(f"{folder}/{next(numbers)}", "wb") as file:
            file.write(envelope.content)
        return "250 OK"


async def main():
    loop = asyncio.get_running_loop()
    # With a name given, it does not look up its own for each connection.
    await loop.create_server(lambda: SMTP(Files(), hostname="bench", loop=loop), "127.0.0.1", port, backlog=1024)
    await asyncio.Event().wait()


asyncio.run(main())
