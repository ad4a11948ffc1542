"""A hospital's HL7 engine in a process of its own: ``python mllp_server.py MODE [CERTIFICATE KEY]``.

It prints its port. The well-behaved modes are served by the MLLP server of the `hl7` library, the others by bytes.
"""

import asyncio
import ssl
import sys

import hl7
from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server

CODES = {"accept": "AA", "commit": "CA", "error": "AE", "reject": "AR"}
LONG = 100_000


async def acknowledge(code: str, reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
    """Answers each message of the connection, with the name of the patient in MSA-3."""
    while not writer.is_closing():
        try:
            message = await reader.readmessage()
        except asyncio.IncompleteReadError:
            break
        ack = message.create_ack(code)
        ack.assign_field(f"got {message.segment('PID')(5)}", "MSA", 1, 3)
        writer.writemessage(ack)
        await writer.drain()


def answer_of(mode: str, message: bytes) -> bytes:
    """Bytes of an engine with a fault."""
    ack = hl7.parse(message.strip(b"\x0b\x1c\r").decode() + "\r").create_ack("AA")
    good = str(ack).encode()
    return {
        "another": b"\x0b" + good.replace(b"MSA|AA|", b"MSA|AA|0") + b"\x1c\r",
        "garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n\x1c\r",
        "no-msa": b"\x0bMSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.5\r\x1c\r",
        "empty": b"\x0b\x1c\r",
        "odd-code": b"\x0b" + good.replace(b"MSA|AA|", b"MSA|ZZ|") + b"\x1c\r",
        "long": b"\x0b" + b"x" * LONG + b"\x1c\r",
        "endless": b"\x0b" + b"x" * LONG,
        "line-feeds": b"\r\n\x0b" + good.replace(b"\r", b"\n") + b"\x1c",
        "cut": b"\x0b" + good[:20],
        "hang-up": b"",
    }[mode]


async def misbehave(mode: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    message = await reader.readuntil(b"\x1c\r")
    if mode == "silence":
        await reader.read()
    elif mode == "slow":
        for byte in answer_of("line-feeds", message):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.2)
    else:
        writer.write(answer_of(mode, message))
        await writer.drain()
    writer.close()


async def main(mode: str, *certificate: str) -> None:
    tls = None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*certificate)
    if mode in CODES:
        server = await start_hl7_server(
            lambda reader, writer: acknowledge(CODES[mode], reader, writer), "127.0.0.1", 0, ssl=tls, encoding="utf-8"
        )
    else:
        server = await asyncio.start_server(lambda reader, writer: misbehave(mode, reader, writer), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
