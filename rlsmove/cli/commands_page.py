"""The help of every command on one page; ``python -m rlsmove.cli.commands_page`` prints it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from rlsmove.cli import main

_HEAD = """\
# Commands

The help of every command. `python -m rlsmove.cli.commands_page > docs/commands.md` makes this page
from the program itself; a test holds it current.
"""


def all_commands(
    command: click.Command = main, context: click.Context | None = None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command under one, itself first: the words that call it, and its context."""
    if context is None:
        settings = command.context_settings
        context = click.Context(command, info_name="rlsmove", terminal_width=80, **settings)
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                inner = click.Context(child, context, info_name=name, terminal_width=80)
                yield from all_commands(child, inner)


def commands_text() -> str:
    """Write the page in Markdown."""
    sections = [_HEAD]
    for words, command, context in all_commands():
        sections.append(f"## {words}\n\n```\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(sections)


if __name__ == "__main__":
    print(commands_text(), end="")
