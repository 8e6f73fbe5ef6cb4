"""One run of a command: its settings, its screen, and the way to the node and to the passphrase."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from freehold_protocol.encoding import Document
from freehold_protocol.errors import MalformedError, NotFoundError, PassphraseError

from ..config import Config, read_config
from ..unlock import PassphraseSources, passphrase_from
from .failure import REFUSED, Failure, failure_of, unreachable, usage
from .render import Screen, harmless
from .terminal import Terminal

if TYPE_CHECKING:
    from .owner_client import OwnerClient


class Command(Protocol):
    """Runs another command as this one was run; returns its exit code."""

    def __call__(self, arguments: Sequence[str], terminal: Terminal) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options that every command has."""

    data_dir: Path | None = None
    passphrase_file: Path | None = None
    json: bool = False


class Run:
    """What a command is given beside its own arguments."""

    def __init__(self, settings: Settings, terminal: Terminal, command: Command) -> None:
        """Take up a run.

        Args:
            settings: Of the command line.
            terminal: What it is connected to.
            command: To run another command.
        """
        self.settings, self.terminal, self.command = settings, terminal, command
        self.screen = Screen(terminal)
        self._passphrase: str | None = None
        self._inner_is_open = False

    @property
    def is_json(self) -> bool:
        """Whether programs read the output."""
        return self.settings.json

    def config(
        self,
        *,
        host: str | None = None,
        port: int | None = None,
        origins: Sequence[str] = (),
        allow_private_hosts: bool = False,
    ) -> Config:
        """Return the node's settings. Raises Failure where one cannot be used."""
        try:
            return read_config(
                self.terminal.environment,
                data_dir=self.settings.data_dir,
                host=host,
                port=port,
                origins=origins,
                allow_private_hosts=allow_private_hosts,
            )
        except MalformedError as error:
            raise usage(str(error)) from error

    # The person

    def tell(self, document: Document, show: Callable[[Screen], None]) -> None:
        """Print the document for a program, or show it to the person."""
        if self.is_json:
            self.screen.print_json(document)
        else:
            show(self.screen)

    def confirm(self, question: str, *, yes: bool) -> None:
        """Return if the person agrees, by --yes or by answering.

        Raises:
            Failure: They do not, or nobody can answer.
        """
        if yes:
            return
        if self.is_json or self.terminal.ask is None:
            raise usage("nobody can be asked here; add --yes to go ahead without a question")
        if self.ask(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
            raise Failure(REFUSED, "not-confirmed", "nothing was changed")

    def ask(self, question: str) -> str:
        """Return what the person answers; the caller has made sure that there is one."""
        if self.terminal.ask is None:
            raise usage("nobody can be asked here")
        try:
            return self.terminal.ask(harmless(question))
        except EOFError:
            raise Failure(REFUSED, "not-confirmed", "nothing was answered, nothing was changed") from None

    # The passphrase

    def passphrase(self) -> str:
        """Return the passphrase from its sources. Raises PassphraseError."""
        return passphrase_from(self._sources(self.settings.passphrase_file, self.terminal.ask_secret))

    def remember(self, passphrase: str) -> None:
        """Open the node with this passphrase, which was given a moment ago."""
        self._passphrase = passphrase

    def passphrase_again(self) -> str:
        """Return the passphrase as fresh proof: what opened the node a moment ago, in this command, is."""
        if self._inner_is_open and self._passphrase is not None:
            return self._passphrase
        return self.passphrase()

    def new_passphrase(self, file: Path | None, *, anew: bool = False) -> str:
        """Return a passphrase to be set: from a file, the other sources, or typed twice.

        Args:
            file: Named for it.
            anew: It replaces another, so the sources of that one do not count.

        Raises:
            PassphraseError: There is none, or the two that were typed differ.
        """
        secret = self.terminal.ask_secret
        twice = None if secret is None else lambda _: _typed_twice(secret)
        if anew and file is None:
            if twice is None:
                raise usage("name a file that holds the new passphrase with --new-passphrase-file")
            return twice("")
        return passphrase_from(self._sources(file, twice))

    def _sources(self, file: Path | None, prompt: Callable[[str], str] | None) -> PassphraseSources:
        return PassphraseSources(
            data_dir=self.config().data_dir, file=file, environment=self.terminal.environment, prompt=prompt
        )

    # The node

    @contextmanager
    def owner(self) -> Iterator[OwnerClient]:
        """Give a client for the owner's calls, to the daemon or to a node in this process.

        Raises:
            FreeholdError: The node refused, or cannot be opened.
            Failure: It cannot be reached.
        """
        from ..ambient import Ambient
        from .owner_client import OwnerClient

        with OwnerClient(self.config().data_dir, self._inner_node, ambient=Ambient()) as client:
            yield client

    @contextmanager
    def _inner_node(self) -> Iterator[object]:
        from ..data_dir import DataDirLock
        from ..keystore import open_keystore
        from .inner_node import InnerNode

        config = self.config()
        check_initialised(config.data_dir)
        with DataDirLock(config.data_dir):  # before anybody is asked for anything
            pass
        if self._passphrase is None:
            self._passphrase = self.passphrase()
        with InnerNode(config, open_keystore(config.data_dir, self._passphrase)) as node:
            self._inner_is_open = True
            yield node


def is_initialised(data_dir: Path) -> bool:
    """Whether there is a key store, and so a node."""
    from ..keystore import KEYSTORE_NAME
    from ..restoring import settle

    settle(data_dir)
    return (data_dir / KEYSTORE_NAME).exists()


def check_initialised(data_dir: Path) -> None:
    """Raise Failure where there is no node."""
    if not is_initialised(data_dir):
        raise unreachable(NotFoundError(f"there is no node in {data_dir} yet; make one with: freehold init"))


def _typed_twice(secret: Callable[[str], str]) -> str:
    typed = secret("New passphrase: ")
    if typed and secret("The same again: ") != typed:
        raise failure_of(PassphraseError("the two passphrases differ, so nothing was changed"))
    return typed
