#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""py_websockets.py PORT COMMAND [ARGUMENT ...]

Broadcast of a command's lines with the package websockets."""

import asyncio
import sys

import websockets

MAX_LINE = 1 << 20


async def main():
    clients = set()

    async def serve(client):
        clients.add(client)
        try:
            await client.wait_closed()
        finally:
            clients.discard(client)

    async with websockets.serve(serve, "127.0.0.1", int(sys.argv[1]),
                                compression=None, ping_interval=None):
        command = await asyncio.create_subprocess_exec(
            *sys.argv[2:], stdout=asyncio.subprocess.PIPE, limit=MAX_LINE)
        while line := await command.stdout.readline():
            websockets.broadcast(clients, line[:-1].decode())
        await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main())
