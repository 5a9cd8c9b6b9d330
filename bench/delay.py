"""A TCP proxy in front of a server: it passes each piece of data on some milliseconds after it came.

python bench/delay.py PORT SERVER_PORT MILLISECONDS
"""

import asyncio
import sys
from functools import partial

CHUNK = 65536


async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    """Hand on what comes, each piece later by the delay, in order."""
    loop = asyncio.get_running_loop()
    while data := await reader.read(CHUNK):
        loop.call_later(delay_s, writer.write, data)
    loop.call_later(delay_s, writer.close)


async def serve(port: int, delay_s: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection."""
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(hand_on(reader, far_writer, delay_s), hand_on(far_reader, writer, delay_s))


async def main(near: int, far: int, delay_ms: float) -> None:
    server = await asyncio.start_server(partial(serve, far, delay_ms / 1000), "127.0.0.1", near)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
