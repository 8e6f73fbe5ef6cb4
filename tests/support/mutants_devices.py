"""Faults in what ends sessions, in the passphrase and the recovery sheet, and in who becomes the person."""

from __future__ import annotations

from freehold_node import custody, devices, records
from freehold_node.api.owner import custody as custody_routes
from freehold_node.sample_removal import Samples
from mutant import Mutants, edit

mutants = Mutants()


@mutants("HTTP-87", "lets the cookie of a session that was ended in")
def ended_sessions_go_on() -> None:
    edit(devices.Devices, "sign_out", ("tx.drop_session(self._owner, session)", "pass"))


@mutants("HTTP-87", "ends every session where one is to be ended")
def one_ends_all() -> None:
    edit(
        devices.Devices,
        "sign_out",
        ("tx.drop_session(self._owner, session)", "tx.drop_sessions(self._owner)"),
    )


@mutants("HTTP-87", "leaves the session that was seen last when it ends all")
def the_last_session_stays() -> None:
    edit(
        devices.Devices,
        "sign_out_everywhere",
        (
            "tx.drop_sessions(self._owner)",
            "[tx.drop_session(self._owner, one.id) for one in tx.sessions(self._owner)[1:]]",
        ),
    )


@mutants("HTTP-87", "lets links that nobody followed open a session after all were ended")
def links_outlive_sessions() -> None:
    edit(devices.Devices, "sign_out_everywhere", ("self._links.clear()", "pass"))


@mutants("HTTP-87", "lets a link be followed twice")
def links_twice() -> None:
    edit(
        devices.Devices,
        "enter_by_link",
        ("self._links.pop(_digest(secret), 0)", "self._links.get(_digest(secret), 0)"),
    )


@mutants("HTTP-88", "says of a passkey that there is not that it was forgotten")
def nobodys_passkeys() -> None:
    edit(devices.Devices, "forget_passkey", ('raise NotFoundError("no such passkey")', "return []"))


@mutants("HTTP-89", "signs out whoever is in by a wrong passphrase")
def wrong_passphrases_sign_out() -> None:
    edit(
        custody.Custody,
        "change_passphrase",
        ("await asyncio.to_thread(check_passphrase, self._data_dir, old)", "pass"),
    )


@mutants("HTTP-89", "leaves sessions as they are when the passphrase is changed")
def sessions_outlive_passphrases() -> None:
    edit(custody.Custody, "change_passphrase", ("await self._devices.sign_out_others(session)", "0"))


@mutants("HTTP-89", "leaves links that nobody followed when the passphrase is changed")
def links_outlive_passphrases() -> None:
    edit(devices.Devices, "sign_out_others", ("self._links.clear()", "pass"))


@mutants("HTTP-89", "says that the passphrase was changed and keeps the old one")
def the_old_passphrase_stays() -> None:
    edit(
        custody.Custody,
        "change_passphrase",
        ("change_passphrase, self._data_dir, old, new,", "change_passphrase, self._data_dir, old, old,"),
    )


@mutants("HTTP-90", "prints a code of its own each time")
def another_code_each_time() -> None:
    edit(
        custody.Custody,
        "print_sheet",
        ("seed_to_code(self._keys.seed)", "seed_to_code(self._ambient.random_bytes(32))"),
    )


@mutants("HTTP-90", "prints the recovery sheet without the passphrase")
def sheets_without_a_passphrase() -> None:
    edit(custody_routes, "print_sheet", ("await asked.prove()", "pass"))


@mutants("HTTP-84", "removes a sample where there is none, and says so")
def no_sample_is_removed() -> None:
    edit(Samples, "remove", ('raise NotFoundError("there is no sample here")', "return {}"))


@mutants("HTTP-44", "makes another record the person's without the passphrase")
def anybody_is_the_person() -> None:
    edit(records.Records, "choose_self", ("await _prove(prove)", "pass"))


@mutants("HTTP-44", "takes the passphrase for the record that is the person's already")
def the_same_person_proves() -> None:
    edit(records.Records, "choose_self", ("if is_proved:", "if True:"))
