#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""nchan.py PORT DIRECTORY COMMAND [ARGUMENT ...]

Broadcast of a command's lines with nchan in nginx, which has its files in the
directory: this program publishes each line over one WebSocket.  The buffer of
messages is made large, since that of 10 which is the default loses lines."""

import asyncio
import os
import pathlib
import subprocess
import sys

import websockets

MAX_LINE = 1 << 20
POLL_S = 0.02

CONFIGURATION = """
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    nchan_shared_memory_size 512M;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = / {{
            nchan_subscriber websocket;
            nchan_channel_id all;
            nchan_subscriber_first_message newest;
        }}
        location = /publish {{
            nchan_publisher websocket;
            nchan_channel_id all;
            nchan_message_buffer_length 100000;
            nchan_message_timeout 10m;
        }}
    }}
}}
"""


def start_nginx(port, directory):
    descriptors = os.sysconf("SC_OPEN_MAX")
    path = pathlib.Path(directory, "nginx.conf")
    path.write_text(CONFIGURATION.format(
        port=port, directory=directory, descriptors=descriptors,
        connections=descriptors - 100,
        user="user root;" if os.getuid() == 0 else "",
    ), "ascii")
    return subprocess.Popen(["/usr/sbin/nginx", "-p", directory, "-c", path])


async def connect(port):
    """nginx listens some time after it was started."""
    while True:
        try:
            return await websockets.connect(
                f"ws://127.0.0.1:{port}/publish", compression=None,
                ping_interval=None)
        except OSError:
            await asyncio.sleep(POLL_S)


async def drop(publisher):
    """nchan answers each message."""
    async for _ in publisher:
        pass


async def main():
    port, directory, *words = sys.argv[1:]
    with start_nginx(port, directory):
        publisher = await connect(port)
        answers = asyncio.create_task(drop(publisher))
        command = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.PIPE, limit=MAX_LINE)
        while line := await command.stdout.readline():
            await publisher.send(line[:-1].decode())
        await answers


if __name__ == "__main__":
    asyncio.run(main())
