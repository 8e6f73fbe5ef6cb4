"""The composition root: builds everything, starts it, and stops it in order."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aiohttp import web
from freehold_protocol.encoding import base58_encode
from freehold_protocol.errors import ConflictError
from freehold_protocol.keys import SigningKey

from .activity import Activity
from .ambient import Ambient
from .api import keys as app_keys
from .api.server import Runner, make_app, make_runner
from .audit import Audit
from .backup import Backups, clear_copies
from .config import Config
from .context_files import read_contexts
from .custody import Custody
from .dashboard.addresses import Addresses
from .dashboard.files.waiting import UPLOADS, Uploads
from .dashboard.live import LIVE, Live
from .dashboard.once import ONCE, Once
from .dashboard.routes import add_pages
from .dashboard.sample import SAMPLE, SampleShop
from .dashboard.switching import FILLED_IN, Filled
from .dashboard.visit import ADDRESSES
from .data_dir import DataDirLock, bump_generation, read_generation, write_durably
from .devices import Devices
from .export import Exports
from .foreign import Foreign
from .gate import Gate
from .inbox import Inbox
from .inspection import Inspection
from .keystore import Keys, check_passphrase
from .lists import Lists
from .origins import Origins
from .partners import Partners
from .passkeys import Passkeys
from .person_keys import PersonKeys
from .records import Records
from .relations import CLOCK_SUSPECT, Relations
from .resolver import Resolver
from .restored import restored_s, take_up_generation
from .restoring import finish_restore
from .revocations import Revocations
from .sample_removal import Samples
from .store.sqlite import SqliteStore
from .store.store import Reader, Transactor
from .streams import Streams
from .today import Today
from .vendor_keys import VendorKeys
from .view import Views
from .visitors import expect_visitors, leaving

_log = logging.getLogger(__name__)
DATABASE: Final = "node.db"
SESSION: Final = "session.json"
TICK_S: Final = 15.0
"""How late an expiry may be committed if nobody reads; a read that finds it due does not wait for this."""
_VISITS_END_S: Final = 5.0
"""How long a node that stops waits for the owner's tools that have asked it something."""
_LOOK_S: Final = 0.02
_COLLECT_AFTER: Final = 20_000


class Node:
    """A node that is open: its parts, and its HTTP server once it listens."""

    def __init__(
        self,
        config: Config,
        keys: Keys,
        *,
        ambient: Ambient | None = None,
        vfs: str | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        """Prepare a node; nothing is opened before ``async with``.

        Args:
            config: Where it lives and how it is reached.
            keys: From the unlocked key store.
            ambient: Clock and randomness; the real ones if None.
            vfs: As in SqliteStore.
            resolver: Fetches DID documents; None: one as the configuration says.
        """
        self.config, self._keys, self._vfs = config, keys, vfs
        self.ambient = ambient or Ambient()
        self._resolver = resolver or Resolver(
            self.ambient.clock, allow_private_hosts=config.allow_private_hosts
        )
        self.session_key = SigningKey(self.ambient.random_bytes(32))
        self.sample: SampleShop | None = None
        self._lock = DataDirLock(config.data_dir)
        self._runner: Runner | None = None
        self._ticker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Lock the data directory and open the store.

        Raises:
            ConflictError: Another process has it, or the database is not ours.
            UnavailableError: The database cannot be opened.
        """
        self._lock.__enter__()
        try:
            finish_restore(self.config.data_dir)
            clear_copies(self.config.data_dir)
            await self._open()
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise
        return self

    async def _open(self) -> None:
        config, ambient = self.config, self.ambient
        self.contexts = read_contexts(config.data_dir)
        self.store = SqliteStore(
            config.data_dir / DATABASE, self._keys.database_key, now_us=ambient.clock.now_us, vfs=self._vfs
        )
        try:
            persisted, suspect = await self.store.read(
                lambda reader: (reader.setting("time_us"), reader.setting(CLOCK_SUSPECT))
            )
            if persisted is not None:
                ambient.clock.recall(int(persisted), suspect=bool(suspect))
            self.owner = await self._find_owner()
            keys = PersonKeys(
                self._keys.seed, generation=self._generation(await self.store.read(_generation))
            )
            await self._take_up(keys)
            restored_at_s = await self.store.read(restored_s)
        except BaseException:
            await self.store.close()
            raise
        self._build(keys, restored_at_s)
        await self._name_records()

    async def _name_records(self) -> None:
        try:
            await self.records.name_all()
        except BaseException:
            await self.store.close()
            raise

    def _generation(self, known: int) -> int:
        """Return the generation beside the key store; if the database has seen a later one, one after that."""
        generation = read_generation(self.config.data_dir)
        return (
            generation if generation >= known else bump_generation(self.config.data_dir, at_least=known + 1)
        )

    async def _take_up(self, keys: PersonKeys) -> None:
        def write(tx: Transactor) -> int:
            return take_up_generation(tx, owner=self.owner, keys=keys, ambient=self.ambient)

        if paused := await self.store.write(write):
            _log.warning("the database was restored from a backup: %d grants are paused", paused)

    def _build(self, keys: PersonKeys, restored_at_s: int) -> None:
        store, ambient, owner, origins = self.store, self.ambient, self.owner, self.config.origins
        self.foreign = Foreign(self.contexts)
        self.vendor_keys = VendorKeys(store, keys, ambient, self._resolver, owner=owner)
        self.inbox = Inbox(
            store, keys, ambient, owner=owner, origins=origins, foreign=self.foreign, vendor_keys=self.vendor_keys
        )  # fmt: skip
        self.revocations = Revocations(store, keys, ambient, owner=owner, wake=self.inbox.wake)
        views = Views()
        self.relations = Relations(store, keys, ambient, owner=owner, origins=origins, views=views)
        self.records = Records(
            store, keys, ambient, self.relations, owner=owner, views=views, foreign=self.foreign
        )
        self.inspection = Inspection(store, keys, ambient, owner=owner, origins=origins)
        self.audit = Audit(store, keys, owner=owner)
        self.lists = Lists(store, owner=owner)
        self.activity = Activity(store, ambient, owner=owner)
        self.today = Today(store, ambient, owner=owner)
        self.exports = Exports(store, keys, ambient, owner=owner)
        self.samples = Samples(store, ambient, self.relations, self.inbox, owner=owner, views=views)
        self.backups = Backups(store, self.config.data_dir, self._keys, ambient)
        self.origins = Origins(store, keys, ambient, owner=owner, origins=origins)
        self.gate = Gate(
            store, keys, ambient, origins=origins, owner_key=self.session_key.public, views=views,
            partners=Partners(store, self._resolver, ambient.clock), restored_s=restored_at_s,
        )  # fmt: skip
        self.streams = Streams(store, self.gate, keys, ambient)
        self.devices = Devices(store, ambient, owner=owner, check_passphrase=self.check_passphrase)
        self.passkeys = Passkeys(store, ambient, owner=owner)
        self.custody = Custody(
            store, ambient, self.devices, owner=owner, data_dir=self.config.data_dir, keys=self._keys
        )
        self.live, self.addresses = Live(), Addresses(self.config.origins)
        self.uploads, self.once, self.filled = Uploads(ambient), Once(ambient), Filled(ambient)
        self.devices.on_gone(self.uploads.drop)
        self.devices.on_gone(self.filled.drop)
        store.on_commit(self.live.committed)

    async def _find_owner(self) -> str:
        owners = await self.store.read(lambda reader: reader.owners())
        if owners:
            return owners[0]
        owner = base58_encode(self.ambient.random_bytes(8))  # short: it begins every key of every table

        def write(tx: Transactor) -> None:
            tx.add_owner(owner, created_us=self.ambient.clock.now_us())

        await self.store.write(write)
        return owner

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish what is under way, then close everything in the order it was opened, backwards."""
        if self._ticker is not None:
            self._ticker.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticker
        with ExitStack() as left:
            if self._runner is not None:
                self._session_file.unlink(missing_ok=True)  # so that no more of the owner's tools come
                await _until(left.enter_context(leaving(self.config.data_dir)), within_s=_VISITS_END_S)
                self.inbox.let_go()
                self.streams.close()
                self.live.close()
                await self.uploads.close()
                await self._runner.cleanup()
            await self.audit.close()
            await self.foreign.close()
            await self.store.close()
            self._lock.__exit__(kind, error, trace)

    # Listening

    @property
    def _session_file(self) -> Path:
        return self.config.data_dir / SESSION

    async def listen(self, port: int | None = None, *, at: socket.socket | None = None) -> str:
        """Start the HTTP server and the timer, and write the session file; return the base URL.

        Args:
            port: 0 for any that is free; None for the configured one.
            at: A socket that listens already, instead of a port.

        Raises:
            ConflictError: The address is in use.
        """
        app = make_app()
        app[app_keys.GATE], app[app_keys.RELATIONS] = self.gate, self.relations
        app[app_keys.INBOX], app[app_keys.REVOCATIONS] = self.inbox, self.revocations
        app[app_keys.STREAMS], app[app_keys.VENDOR_KEYS] = self.streams, self.vendor_keys
        app[app_keys.RECORDS], app[app_keys.INSPECTION] = self.records, self.inspection
        app[app_keys.ORIGINS], app[app_keys.BACKUPS] = self.origins, self.backups
        app[app_keys.LISTS], app[app_keys.ACTIVITY] = self.lists, self.activity
        app[app_keys.TODAY], app[app_keys.EXPORTS] = self.today, self.exports
        app[app_keys.SAMPLES], app[app_keys.AUDIT] = self.samples, self.audit
        app[app_keys.OWNER], app[app_keys.CHECK_PASSPHRASE] = self.owner, self.check_passphrase
        app[app_keys.LINKS], app[app_keys.CUSTODY] = self.link, self.custody
        app[app_keys.DEVICES], app[app_keys.PASSKEYS] = self.devices, self.passkeys
        app[LIVE], app[ADDRESSES] = self.live, self.addresses
        app[UPLOADS], app[ONCE], app[FILLED_IN] = self.uploads, self.once, self.filled
        if self.sample is not None:
            app[SAMPLE] = self.sample
        add_pages(app)
        self._runner = make_runner(app)
        await self._runner.setup()
        wanted = self.config.port if port is None else port
        site = (
            web.TCPSite(self._runner, self.config.host, wanted)
            if at is None
            else web.SockSite(self._runner, at)
        )
        try:
            await site.start()
        except OSError as error:
            raise ConflictError(f"port {wanted} cannot be listened at: {error.strerror}") from error
        host, bound = self._runner.addresses[0][:2]
        url = url_of(host, bound)
        self.addresses.add(url)
        expect_visitors(self.config.data_dir)
        self._write_session(url)
        self._ticker = asyncio.create_task(self._tick_for_ever())
        return url

    def _write_session(self, url: str) -> None:
        # The owner's tools sign over the node's origin and connect to where it listens: mostly the same.
        session = {
            "origin": self.config.origins[0],
            "connect": url,
            "key": self.session_key.multikey,
            "pid": os.getpid(),
        }
        write_durably(self._session_file, json.dumps(session).encode(), overwrite=True)

    def link(self) -> tuple[str, int]:
        """Return a new one-time link into the dashboard, and the time, in microseconds since 1970."""
        return f"{self.addresses.preferred}/my/enter/{self.devices.new_link()}", self.ambient.clock.now_us()

    async def check_passphrase(self, passphrase: str) -> None:
        """Check the person's passphrase anew. Raises PassphraseError."""
        await asyncio.to_thread(check_passphrase, self.config.data_dir, passphrase)

    async def _tick_for_ever(self) -> None:
        while True:
            try:
                await self.relations.tick()
            except Exception as error:  # noqa: BLE001 - the timer goes on whatever it was
                _log.warning("the timer's work was not done: %s", type(error).__name__)
            if self.ambient.clock.suspect:
                self.streams.stir()  # no commit tells of it
            await asyncio.sleep(TICK_S)


def url_of(host: str, port: int) -> str:
    """Return the URL of what listens at an address."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def tune_interpreter() -> None:
    """Set the garbage collector for a process that does nothing but serve.

    What was made at start stays for good, so it is not looked through again; what a read makes is freed by its
    counts. With the defaults the collector takes a tenth of the time of a read.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 50)


def open_node(
    config: Config,
    keys: Keys,
    *,
    ambient: Ambient | None = None,
    vfs: str | None = None,
    resolver: Resolver | None = None,
) -> Node:
    """Return a node to be used with ``async with``; see Node."""
    return Node(config, keys, ambient=ambient, vfs=vfs, resolver=resolver)


async def _until(holds: Callable[[], bool], *, within_s: float) -> None:
    for _ in range(round(within_s / _LOOK_S)):
        if holds():
            return
        await asyncio.sleep(_LOOK_S)  # what other processes do is no event of ours


def _generation(reader: Reader) -> int:
    return int(reader.setting("generation") or 0)
