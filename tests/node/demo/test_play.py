"""The demonstration with people and choices made up by chance: what it tells is what the test knows."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from freehold_node.demo import play, stage
from freehold_node.demo.expectation import DemoFailedError, Values, values_of
from freehold_node.demo.play import run_demo
from freehold_node.demo.scenario import Scenario, ask_for
from freehold_node.demo.transcript import Step, Transcript
from shell import Shell

ODD = (
    "Müller, Jürgen", "Łódź; Śródmieście", 'O\'Neil "Bob"', "名前 太郎", "a\\b", "x: y = z", "100 % & more",
    "[bold]not bold[/bold]", "--yes", "$(echo no) `no`", "Ünïcödé; with, all \\ of it", "नमस्ते", "👩\u200d🌾 farm",
    "' OR 1=1 --", "{x}", "%s %d", "Straße 5, Hinterhaus", "null", "0", "é̂",
)  # fmt: skip


def odd(rng: random.Random) -> str:
    """Return a value that something on its way could trip over, and that no other one is."""
    return f"{rng.choice(ODD)} {rng.randrange(10**9)}"


def escaped(text: str) -> str:
    for char in "\\,;":
        text = text.replace(char, "\\" + char)
    return text


@dataclass
class Person:
    """One card, and what it says by field path."""

    card: str
    says: Values


def made_up(rng: random.Random, uid: str) -> Person:
    one = {path: odd(rng) for path in ("name", "jobTitle", "description")}
    nicknames = [odd(rng) for _ in range(rng.randint(1, 3))]
    emails = [f"p{rng.randrange(10**9)}@example.com" for _ in range(rng.randint(1, 3))]
    birthday = f"{rng.randint(1920, 2005)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    parts = ("streetAddress", "addressLocality", "addressRegion", "postalCode", "addressCountry")
    addresses = [{part: odd(rng) for part in parts} for _ in range(rng.randint(1, 3))]
    lines = [
        "BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", f"FN:{escaped(one['name'])}",
        f"TITLE:{escaped(one['jobTitle'])}", f"NOTE:{escaped(one['description'])}",
        "NICKNAME:" + ",".join(map(escaped, nicknames)), f"BDAY:{birthday}",
        *(f"EMAIL:{email}" for email in emails),
        *("ADR:;;" + ";".join(escaped(address[part]) for part in parts) for address in addresses),
        "END:VCARD",
    ]  # fmt: skip
    says = {path: [value] for path, value in one.items()}
    says |= {"alternateName": nicknames, "email": emails, "birthDate": [birthday]}
    says |= {f"address.{part}": [address[part] for address in addresses] for part in parts}
    return Person("".join(line + "\r\n" for line in lines), says)


def some(rng: random.Random, fields: Sequence[str], least: int = 1) -> tuple[str, ...]:
    return tuple(rng.sample(list(fields), rng.randint(least, len(fields))))


def chance_scenario(rng: random.Random) -> tuple[Scenario, Person, list[Person]]:
    people = [made_up(rng, f"card-{number}") for number in range(rng.randint(2, 4))]
    me = rng.choice(people)
    names = rng.sample(["delivery", "marketing", "club", "age-check"], rng.randint(2, 3))
    paths = rng.sample(sorted(me.says), 3 * len(names))
    asked = {name: tuple(paths[3 * place : 3 * place + 3]) for place, name in enumerate(names)}
    courier = rng.choice(names)
    given = {
        name: some(rng, fields, 2) for name, fields in asked.items() if name == courier or rng.random() < 0.7
    }
    kept = {name: fields[:-1] if name == courier else fields for name, fields in given.items()}
    if len(kept) > 1 and rng.random() < 0.5:
        kept.pop(next(name for name in kept if name != courier))
    scenario = Scenario(
        vcard="".join(person.card for person in people).encode(),
        file_name="made up, by chance.vcf",
        me=me.says["email"][0],
        asked=ask_for(asked, courier=courier),
        given=given,
        kept=kept,
        courier=courier,
    )
    return scenario, me, [person for person in people if person is not me]


Command = Callable[[Sequence[str]], tuple[int, str, str]]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs a command with nothing in its environment but what is on its line."""
    shell = Shell(tmp_path / "nowhere")

    def run(arguments: Sequence[str]) -> tuple[int, str, str]:
        ran = shell(*arguments, passphrase=None)
        return ran.code, ran.out, ran.err

    return run


@pytest.fixture(autouse=True)
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary folders: this test's own, so that it can see that nothing is left in it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def shown(person: Person, permissions: dict[str, tuple[str, ...]]) -> dict[str, Values]:
    return {name: {path: person.says[path] for path in fields} for name, fields in permissions.items()}


def in_text(steps: Sequence[Step]) -> str:
    return "\n".join(line for step in steps for line in (step.title, *step.results, *step.wire))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One scenario that chance makes up; three with ``--thorough``, as in CI."""
    if "seed" in metafunc.fixturenames:
        thorough = metafunc.config.getoption("--thorough")
        metafunc.parametrize("seed", [2, 20, 200] if thorough else [2])


@pytest.mark.asyncio
async def test_what_is_read_is_what_was_given_and_no_more(command: Command, seed: int) -> None:
    scenario, me, others = chance_scenario(random.Random(seed))
    told: list[Step] = []
    transcript = await run_demo(scenario, command=command, tell=told.append)
    facts = transcript.facts
    assert told == transcript.steps
    assert len(told) == 12

    given, kept = dict(scenario.given), dict(scenario.kept)
    assert {name: set(fields) for name, fields in facts.granted.items()} == {
        name: set(fields) for name, fields in given.items()
    }
    assert facts.first == shown(me, given)
    assert facts.narrowed == shown(me, kept)
    assert facts.courier == shown(me, {scenario.courier: kept[scenario.courier]})

    code_there, code_here = facts.codes
    assert code_there == code_here
    assert facts.refused[f"sample shop {scenario.courier} ended"] == "grant-ended"
    assert facts.refused[f"courier {scenario.courier} ended"] == "grant-ended"
    assert facts.refused[f"courier {scenario.other} delegated"] == "wrong-target"
    assert facts.damaged == [facts.altered]
    _check_ledger(transcript, scenario)
    _check_no_leak(transcript, scenario, me, others)


def _check_ledger(transcript: Transcript, scenario: Scenario) -> None:
    entries = [entry["entry"] for entry in transcript.facts.entries]
    reads = [(one["permission"], set(one["fields"])) for one in entries if one["kind"] == "admitted"]
    expected = [
        (name, set(fields)) for part in (scenario.given, scenario.kept) for name, fields in part.items()
    ]
    assert reads == [*expected, (scenario.courier, set(scenario.kept[scenario.courier]))]
    assert [one["change"] for one in entries if one["kind"] == "changed"] == ["approve", "narrow"]


def _check_no_leak(transcript: Transcript, scenario: Scenario, me: Person, others: list[Person]) -> None:
    after_import = in_text(transcript.steps[2:])
    given = {path for fields in scenario.given.values() for path in fields}
    for path, values in me.says.items():
        for value in values:
            assert (value in after_import) == (path in given), path
    for other in others:
        for values in other.says.values():
            assert not any(value in after_import for value in values)


@pytest.mark.asyncio
async def test_everything_is_removed_unless_it_is_kept(command: Command, samples: Path) -> None:
    seen: list[Path] = []

    async def stay(where: stage.Stage, shop: Any) -> None:
        seen.append(where.folder)
        assert "sample" in (where.folder / "SAMPLE.txt").read_text()
        assert (where.folder.stat().st_mode & 0o777) == 0o700
        waiting = (await where.person.looks("requests", "--status", "waiting"))["requests"]
        assert len(waiting) == 1  # something to decide by hand
        assert (await shop.get("/"))["did"] == shop.did

    await run_demo(Scenario(), command=command, stay=stay)
    assert seen[0].parent == samples
    assert list(samples.iterdir()) == []


@pytest.mark.asyncio
async def test_a_kept_sample_is_a_node_that_can_be_opened_again(command: Command, samples: Path) -> None:
    await run_demo(Scenario(), command=command, keep=True)
    [folder] = samples.iterdir()
    shell = Shell(folder / "node", {"FREEHOLD_PASSPHRASE_FILE": str(folder / "passphrase.txt")})
    told = await asyncio.to_thread(shell.ok, "status", passphrase=None)
    assert (told["running"], told["self"]["label"], told["grants"]["ended"]) == (False, "Ada Example", 1)


def lying(command: Command, about: str, lie: Callable[[Command, list[str]], tuple[int, str, str]]) -> Command:
    return lambda arguments: lie(command, list(arguments)) if arguments[0] == about else command(arguments)


def other_code(command: Command, arguments: list[str]) -> tuple[int, str, str]:
    code, out, err = command(arguments)
    document = json.loads(out)
    for request in document.get("requests", ()):
        request["code"] = "0000-0000"
    return code, json.dumps(document), err


def gives_all(command: Command, arguments: list[str]) -> tuple[int, str, str]:
    return command([one.partition("=")[0] if one.startswith("delivery=") else one for one in arguments])


def only_says_so(command: Command, arguments: list[str]) -> tuple[int, str, str]:
    fields = {"delivery": ["name"], "marketing": ["email"]}
    permission = [{"name": name, "items": [{"fields": paths}]} for name, paths in fields.items()]
    return 0, json.dumps({"version": 2, "state": "live", "draft": {"permission": permission}}), ""


def fails(command: Command, arguments: list[str]) -> tuple[int, str, str]:
    return 1, "", "freehold: no [conflict]\n"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("about", "lie", "said"),
    [
        ("init", fails, "`freehold init --sheet recovery-sheet.txt` ended with exit code 1: freehold: no"),
        ("requests", other_code, "different codes"),
        ("approve", gives_all, "something else than was ticked"),
        ("narrow", only_says_so, "the sample shop read address.postalCode, name under delivery"),
        ("end", lambda command, _: (0, '{"state": "live"}', ""), "the grant is live"),
    ],
)  # fmt: skip
async def test_the_first_step_that_does_not_hold_ends_it(
    command: Command, samples: Path, about: str, lie: Any, said: str
) -> None:
    with pytest.raises(DemoFailedError, match=said):
        await run_demo(Scenario(), command=lying(command, about, lie))
    assert list(samples.iterdir()) == []


@pytest.mark.asyncio
@pytest.mark.parametrize("module", ["freehold_vendor.no_such_sample", "platform"])
async def test_says_what_an_actor_said_that_did_not_start(
    command: Command, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setattr(play, "SHOP_MODULE", module)
    with pytest.raises(DemoFailedError, match="the sample shop did not start") as failed:
        await run_demo(Scenario(), command=command)
    assert module == "platform" or "No module named" in str(failed.value)


@pytest.mark.parametrize(
    "change",
    [
        {"given": {"delivery": ("email",)}},
        {"given": {"nope": ("name",)}},
        {"kept": {"delivery": ("address.streetAddress",)}},
        {"kept": {"delivery": ("name", "address.postalCode"), "marketing": ("email",)}},
        {"kept": {"delivery": ()}},
        {"kept": {"marketing": ("email",)}},
        {"courier": "marketing"},
        {"courier": "nope"},
    ],
)
def test_a_scenario_that_shows_nothing_cannot_be_made(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        replace(Scenario(), **change)


def test_values_are_found_by_path() -> None:
    document = {
        "@context": "x", "id": "urn:x", "type": "Person", "issuer": "did:x", "version": "v", "proof": {"a": 1},
        "name": "Ada", "email": ["a", "b"],
        "address": [{"type": "PostalAddress", "postalCode": "1"}, {"postalCode": "2", "addressCountry": "X"}],
    }  # fmt: skip
    assert values_of(document) == {
        "name": ["Ada"], "email": ["a", "b"], "address.postalCode": ["1", "2"], "address.addressCountry": ["X"],
    }  # fmt: skip


def demo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
    return subprocess.run(
        [sys.executable, "-m", "freehold_node", "demo", *map(str, arguments)],
        capture_output=True, text=True, check=False, env=environment, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_the_command_plays_it_and_ends() -> None:
    ran = demo("--exit")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "12. Somebody alters one entry in a copy" in ran.stdout
    assert "All 12 steps came out as they must" in ran.stdout


def test_the_command_plays_it_with_another_person_and_other_fields(tmp_path: Path) -> None:
    person = made_up(random.Random(3), "me")
    file = tmp_path / "my book.vcf"
    file.write_text(person.card, "utf-8")
    ran = demo(
        "--json", "--vcard", file, "--me", person.says["name"][0], "--ask", "parcel=name,address.postalCode",
        "--ask", "news=email,jobTitle", "--give", "parcel=name,address.postalCode", "--give", "news=jobTitle",
        "--narrow", "parcel=address.postalCode", "--courier", "parcel",
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    told = json.loads(ran.stdout)
    assert told["passed"]
    assert (
        f"address.postalCode: {'; '.join(person.says['address.postalCode'])}" in told["steps"][7]["results"]
    )
