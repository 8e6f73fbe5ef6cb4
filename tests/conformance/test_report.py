"""Reports say what a run found, in forms that others read, and nothing in them can break out of its place."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from freehold_conformance.check import Profile
from freehold_conformance.report import Report, as_earl, as_html, as_json, as_junit, as_text
from freehold_conformance.runner import Outcome, Result
from pyld import jsonld

HOSTILE = '</td><script>alert(1)</script>\x00]]>&"'


def result(
    name: str, outcome: Outcome = Outcome.PASSED, profile: Profile = Profile.CORE, detail: str = ""
) -> Result:
    return Result(
        name=name,
        title="Something holds.",
        requirements=(name.partition(" ")[0], "HTTP-2"),
        profile=profile,
        outcome=outcome,
        detail=detail,
        seconds=0.25,
    )


def report(*results: Result) -> Report:
    return Report(
        subject="http://127.0.0.1:8420",
        kind="node",
        version="1.2.3",
        began_s=1_795_435_200,
        seconds=3.5,
        seed=7,
        results=results,
        askable=frozenset({"HTTP-1", "HTTP-2", "CAP-1", "EZC-1"}),
    )


MIXED = report(
    result("HTTP-1 passes"),
    result("CAP-1 fails", Outcome.FAILED, detail=HOSTILE),
    result("HTTP-2 is-skipped", Outcome.SKIPPED, Profile.EVENTS, "no way to restart"),
)


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([result("HTTP-1 a")], 0),
        ([result("HTTP-1 a"), result("HTTP-1 b", Outcome.SKIPPED)], 0),
        ([result("HTTP-1 a", Outcome.FAILED)], 1),
        ([result("HTTP-1 a"), result("HTTP-1 b", Outcome.FAILED, Profile.EVENTS)], 4),
        ([result("HTTP-1 a", Outcome.FAILED), result("HTTP-1 b", Outcome.FAILED, Profile.EVENTS)], 1),
        ([result("HTTP-1 b", profile=Profile.EVENTS)], 1),
        ([], 1),
    ],
)
def test_the_exit_status_says_what_failed(results: list[Result], code: int) -> None:
    assert report(*results).exit_code == code


@pytest.mark.parametrize(
    ("results", "unasked", "kind", "said"),
    [
        ([result("HTTP-1 a")], 0, "node", "The node conforms."),
        ([result("HTTP-1 a"), result("HTTP-1 b", Outcome.SKIPPED)], 0, "node", "1 required check was left out"),
        ([result("HTTP-1 a")], 7, "node", "7 required checks were left out"),
        ([result("HTTP-1 a"), result("HTTP-1 b", Outcome.SKIPPED, Profile.EVENTS)], 0, "node", "The node conforms."),
        ([result("HTTP-1 a"), result("HTTP-1 b", Outcome.SKIPPED)], 0, "client", "The client conforms."),
        ([result("HTTP-1 a"), result("HTTP-1 b", Outcome.FAILED, Profile.EVENTS)], 0, "node", "but not to all"),
        ([result("HTTP-1 a", Outcome.FAILED)], 3, "node", "The node does not conform."),
    ],
)  # fmt: skip
def test_a_run_that_left_out_what_is_required_states_nothing(
    results: list[Result], unasked: int, kind: str, said: str
) -> None:
    made = replace(report(*results), unasked=unasked, kind=kind)
    assert said in made.verdict
    assert made.verdict in as_text.summary(made)
    assert made.verdict in as_html.render(made)
    assert json.loads(as_json.render(made))["verdict"] == made.verdict


def test_json() -> None:
    told = json.loads(as_json.render(MIXED))
    assert told["counts"] == {"passed": 1, "failed": 1, "skipped": 1}
    assert told["conforms"] is False
    assert told["requirements"]["covered"] == 3
    assert told["requirements"]["notCovered"] == ["EZC-1"]
    assert [one["outcome"] for one in told["results"]] == ["passed", "failed", "skipped"]


def test_junit() -> None:
    suite = ET.fromstring(as_junit.render(MIXED))
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "1",
    }
    assert [case.get("name") for case in suite] == ["HTTP-1 passes", "CAP-1 fails", "HTTP-2 is-skipped"]
    (failure,) = suite.iter("failure")
    assert failure.get("message") == HOSTILE.replace("\x00", "?")


def test_earl_is_linked_data_that_needs_no_other_context() -> None:
    def nothing(url: str, _: object) -> object:
        raise AssertionError(f"would fetch {url}")

    earl = "http://www.w3.org/ns/earl#"
    expanded = jsonld.expand(json.loads(as_earl.render(MIXED)), {"documentLoader": nothing})
    assertions = [node for node in expanded if node.get("@type") == [f"{earl}Assertion"]]
    assert len(assertions) == 6  # one for each check and requirement
    outcomes = [one[f"{earl}result"][0][f"{earl}outcome"][0]["@id"] for one in assertions]
    assert outcomes == [f"{earl}{name}" for name in ("passed", "failed", "untested") for _ in range(2)]
    assert all(one[f"{earl}subject"] == [{"@id": MIXED.subject}] for one in assertions)
    assert all(one[f"{earl}assertedBy"] for one in assertions)


def test_html_escapes_what_a_node_said_and_fetches_nothing() -> None:
    page = as_html.render(MIXED)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "does not conform" in page
    assert not any(word in page for word in ("src=", "href=", "@import", "url("))


def test_the_terminal_says_what_came_instead_and_where_to_read() -> None:
    failed = as_text.line(MIXED.results[1])
    assert HOSTILE in failed or "alert" in failed
    assert "specs/capabilities.md#root" in failed
    assert "3 checks: 1 passed, 1 failed, 1 skipped" in as_text.summary(MIXED)
    assert "--seed 7" in as_text.summary(MIXED)
    assert "does not conform" in as_text.summary(MIXED)
