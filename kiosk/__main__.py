"""The program ``kiosk``: runs one command; a failure is one line and a non-zero exit code."""

import atexit
import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

import click

COMMANDS: Final = {
    "demo": ("kiosk.cli.demo:demo", "A hospital with a simulated gateway, patients and clerks."),
    "serve": ("kiosk.cli.roles:serve", "Web, relay, archive and delivery in one tree, with a store of its own."),
    "web": ("kiosk.cli.roles:web", "The web role alone."),
    "relay": ("kiosk.cli.roles:relay", "The relay alone."),
    "archive": ("kiosk.cli.roles:archive", "The archive role alone."),
    "deliver": ("kiosk.cli.roles:deliver", "The delivery role alone."),
    "facility": ("kiosk.cli.facility:facility", "Hospitals."),
    "queue": ("kiosk.cli.queue:queue", "Queues and their counters."),
    "staff": ("kiosk.cli.staff:staff", "Logins of clerks and administrators."),
    "apikey": ("kiosk.cli.apikey:apikey", "Keys by which other programs call the API."),
    "webhook": ("kiosk.cli.webhook:webhook", "Programs that are told of ticket events by HTTP."),
    "hl7": ("kiosk.cli.hl7:hl7", "Hospital systems that are told who came by HL7."),
    "keys": ("kiosk.cli.keys:keys", "Signing keys."),
    "patient": ("kiosk.cli.patient:patient", "See or erase the data kept of one person."),
    "tls": ("kiosk.cli.tls:tls", "A certificate for the hospital's own network."),
    "audit": ("kiosk.cli.audit:audit", "Verify the record of what staff did and read."),
    "backup": ("kiosk.cli.backup:backup", "Copy store, archive and settings while the service runs."),
    "restore": ("kiosk.cli.backup:restore", "Make the data folder from a backup."),
    "store": ("kiosk.cli.store:store", "The embedded store's journal: check and repair."),
    "hmis": ("kiosk.cli.hmis:hmis", "Tools for vendors of hospital software."),
    "voice": ("kiosk.cli.voice:voice", "The clips from which boards speak their calls."),
    "qr": ("kiosk.cli.qr:qr", "A counter's QR as text, picture or poster."),
    "posters": ("kiosk.cli.posters:posters", "The posters of all counters as one PDF."),
    "slip": ("kiosk.cli.slip:slip", "A sample slip on a receipt printer."),
    "export": ("kiosk.cli.export:export", "Rows of the archive as CSV or JSON lines."),
    "history": ("kiosk.cli.history:history", "Totals of the time before this service."),
    "plan": ("kiosk.cli.plan:plan", "What a load needs, computed from measured costs."),
    "doctor": ("kiosk.cli.doctor:doctor", "Check everything and say what to do."),
}
"""Name → module and line of help. A module is imported only when its command runs, so that commands start fast."""


class Program(click.Group):
    """Finds commands by the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="abdm-kiosk", prog_name="kiosk")
def program() -> None:
    """Scan and Share for hospitals: from the QR at the counter to the number on the board.

    Settings come from KIOSK_… variables or from the TOML file that KIOSK_CONFIG names; see `kiosk doctor`.
    """


def main() -> None:
    """The entry point."""
    _collect_seldom()
    code = run(sys.argv[1:])
    if "pyreqwest" in sys.modules:
        _end_now(code)
    sys.exit(code)


def _collect_seldom() -> None:
    """Modules stay to the end: looking through them for garbage again and again while they are imported was a tenth of
    what a start costs. A service sets the same numbers when it has started (``settle_memory``).
    """
    gc.set_threshold(50_000, 20, 50)


def _end_now(code: int) -> None:
    """End without taking the interpreter down. The HTTP client's threads may still hold its objects for a moment after
    the client was closed, and Python 3.11 aborts when such a thread lets go of one while it ends: the command had done
    its work and exited with 134.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command, given as the words after the program's name; its exit code."""
    try:
        program(list(arguments), prog_name="kiosk", standalone_mode=False)
    except click.UsageError as wrong:
        hint = f" (see `{wrong.ctx.command_path} --help`)" if wrong.ctx else ""
        return _fail(f"{wrong.format_message()}{hint}", code=2)
    except click.ClickException as wrong:
        return _fail(wrong.format_message())
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", code=130)
    except click.exceptions.Exit as done:
        return done.exit_code
    except BrokenPipeError:
        return 1
    except Exception as failure:  # last resort: one line, without values that may be a patient's
        from kiosk.cli.running import in_one_line

        return _fail(in_one_line(failure))
    return 0


def _fail(sentence: str, *, code: int = 1) -> int:
    sys.stderr.write(failure_line(sentence))
    return code


def failure_line(sentence: str) -> str:
    """What an operator reads: one line, without anything that moves a terminal's cursor, since it may quote a file."""
    from queueing.display_text import terminal_text

    return f"kiosk: {terminal_text(' '.join(sentence.split()))}\n"


if __name__ == "__main__":
    main()
