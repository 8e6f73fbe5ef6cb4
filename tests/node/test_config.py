from __future__ import annotations

from pathlib import Path

import pytest
from freehold_node.config import Config, parse_origin, read_config
from freehold_protocol.errors import MalformedError
from hypothesis import given, settings
from hypothesis import strategies as st


def test_without_anything_the_defaults_hold() -> None:
    config = read_config({})
    assert config == Config(data_dir=config.data_dir)
    assert (config.host, config.port, config.origins) == ("127.0.0.1", 8420, ("http://127.0.0.1:8420",))
    assert config.data_dir.is_absolute()
    assert config.data_dir.name == "freehold"


def test_an_argument_wins_over_its_variable(tmp_path: Path) -> None:
    environment = {
        "FREEHOLD_DATA": str(tmp_path / "variable"),
        "FREEHOLD_PORT": "9000",
        "FREEHOLD_ORIGIN": "https://one.example, https://two.example:8443 ",
    }
    assert read_config(environment) == Config(
        data_dir=tmp_path / "variable",
        port=9000,
        origins=("https://one.example", "https://two.example:8443"),
    )
    given = read_config(
        environment, data_dir=tmp_path, host="::1", port=9001, origins=["https://three.example"]
    )
    assert given == Config(data_dir=tmp_path, host="::1", port=9001, origins=("https://three.example",))


def test_a_variable_set_to_nothing_is_not_set() -> None:
    assert read_config({"FREEHOLD_DATA": "", "FREEHOLD_PORT": "", "FREEHOLD_ORIGIN": " "}) == read_config({})


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1", "http://127.0.0.1:9000"),
        ("127.8.9.1", "http://127.8.9.1:9000"),
        ("::1", "http://[::1]:9000"),
        ("0.0.0.0", "http://127.0.0.1:9000"),
        ("::", "http://127.0.0.1:9000"),
        ("localhost", "http://127.0.0.1:9000"),
    ],
)
def test_the_default_origin_is_where_the_node_listens(host: str, origin: str) -> None:
    assert read_config({}, host=host, port=9000).origins == (origin,)


def test_the_data_dir_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert read_config({"FREEHOLD_DATA": "~/node"}).data_dir == tmp_path / "node"
    assert read_config({"FREEHOLD_DATA": "here"}).data_dir == tmp_path / "here"


@pytest.mark.parametrize(
    ("value", "argument", "allowed"),
    [("", False, False), ("0", False, False), ("1", False, True), ("", True, True), ("0", True, True)],
)
def test_private_hosts_are_looked_up_only_if_it_is_said(value: str, argument: bool, allowed: bool) -> None:
    environment = {"FREEHOLD_ALLOW_PRIVATE_HOSTS": value}
    assert read_config(environment, allow_private_hosts=argument).allow_private_hosts is allowed
    assert read_config({}).allow_private_hosts is False


@pytest.mark.parametrize("value", ["yes", "true", " 1", "2", "on"])
def test_a_switch_is_1_or_0(value: str) -> None:
    with pytest.raises(MalformedError, match="1 or 0"):
        read_config({"FREEHOLD_ALLOW_PRIVATE_HOSTS": value})


@pytest.mark.parametrize("path", ["~nobody-of-that-name/node", "a\0b"])
def test_a_data_dir_that_cannot_be(path: str) -> None:
    with pytest.raises(MalformedError):
        read_config({}, data_dir=Path(path))


@pytest.mark.parametrize(
    "port", ["0", "65536", "-1", "+80", "8420 ", "84_20", "1e3", "0x50", "٣", "9" * 5000]
)
def test_a_port_that_cannot_be(port: str) -> None:
    with pytest.raises(MalformedError, match="65535"):
        read_config({"FREEHOLD_PORT": port})


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_port_argument_that_cannot_be(port: int) -> None:
    with pytest.raises(MalformedError, match="65535"):
        read_config({}, port=port)


def test_origins_are_few_and_different() -> None:
    five = [f"https://{name}.example" for name in "abcde"]
    assert read_config({}, origins=five[:4]).origins == tuple(five[:4])
    assert read_config({}, origins=[*five[:4], "HTTPS://A.example"]).origins == tuple(five[:4])
    with pytest.raises(MalformedError, match="at most 4"):
        read_config({}, origins=five)
    for listed in (",", "https://a.example,", "https://a.example,,https://b.example"):
        with pytest.raises(MalformedError):
            read_config({"FREEHOLD_ORIGIN": listed})


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://node.example", "https://node.example"),
        ("https://Node.EXAMPLE", "https://node.example"),
        ("HTTPS://node.example:8443", "https://node.example:8443"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://node", "https://node"),
        ("https://192.0.2.7", "https://192.0.2.7"),
        ("https://[2001:DB8:0::7]:8443", "https://[2001:db8::7]:8443"),
        ("https://localhost:8420", "https://localhost:8420"),
        ("http://127.0.0.1:8420", "http://127.0.0.1:8420"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://127.255.255.254:1", "http://127.255.255.254:1"),
        ("http://[::1]:65535", "http://[::1]:65535"),
        ("http://[0:0:0:0:0:0:0:1]:8420", "http://[::1]:8420"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("https://node.example:80", "https://node.example:80"),
    ],
)
def test_origins(text: str, origin: str) -> None:
    assert parse_origin(text) == origin
    assert parse_origin(origin) == origin


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http://node.example", "use https"),
        ("http://localhost:8420", "use https"),
        ("http://192.168.1.5:8420", "use https"),
        ("http://128.0.0.1", "use https"),
        ("http://0.0.0.0:8420", "use https"),
        ("http://[::]:8420", "use https"),
        ("http://[::ffff:127.0.0.1]:8420", "use https"),
        ("http://127.0.0.1.example", "use https"),
        ("http://127.1", "cannot be read"),
        ("http://2130706433", "cannot be read"),
        ("http://0177.0.0.1", "cannot be read"),
        ("http://127.0.0.01", "cannot be read"),
        ("http://127.0.0.256", "cannot be read"),
        ("http://[::1", "write it as"),
        ("http://[::1%25lo]", "write it as"),
        ("http://[1]", "cannot be read"),
        ("http://::1", "write it as"),
        ("https://node.example/", "closing slash"),
        ("https://node.example/pod", "no path"),
        ("https://node.example?x", "no path"),
        ("https://node.example#x", "no path"),
        ("https://user@node.example", "must not name a user"),
        ("https://node.example\n", "write it as"),
        ("https://node.example:", "write it as"),
        ("https://node.example:0", "write it as"),
        ("https://node.example:08443", "write it as"),
        ("https://node.example:65536", "65535"),
        ("https://node.example:443", "leave out :443"),
        ("http://127.0.0.1:80", "leave out :80"),
        ("https://node.example.", "no host has that name"),
        ("https://.example", "no host has that name"),
        ("https://a..example", "no host has that name"),
        ("https://-a.example", "no host has that name"),
        ("https://a-.example", "no host has that name"),
        ("https://a_b.example", "write it as"),
        ("https://" + "a" * 64 + ".example", "no host has that name"),
        ("https://" + "a." * 127 + "example", "no host has that name"),
        ("https://bücher.example", "in ASCII"),
        ("https://node\u3002example", "in ASCII"),
        ("https://\u212a.example", "in ASCII"),
        ("https://", "write it as"),
        ("https:node.example", "with its scheme"),
        ("node.example", "with its scheme"),
        ("ftp://node.example", "begins with https"),
        ("https+x://node.example", "write it as"),
        ("null", "with its scheme"),
        ("*", "with its scheme"),
        ("", "with its scheme"),
    ],
)
def test_what_is_no_origin(text: str, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        parse_origin(text)


def test_a_password_in_an_origin_is_not_repeated() -> None:
    with pytest.raises(MalformedError) as caught:
        parse_origin("https://me:hush@node.example")
    assert "hush" not in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.from_regex(r"\Ahttps?://[0-9a-zA-Z.:\[\]-]*\Z")))
def test_any_text_is_an_origin_or_malformed(text: str) -> None:
    try:
        origin = parse_origin(text)
    except MalformedError:
        return
    assert parse_origin(origin) == origin
    assert origin == origin.lower()
