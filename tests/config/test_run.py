"""`make run`, before it starts anything."""

import socket

import pytest

from config.ports import find_free
from config.run import (
    CannotRun,
    main,
    page_answers,
    parts_named,
    port_from_environment,
    refuse_taken_ports,
)

ALL_PARTS = ["web", "worker", "beat", "practice"]


def test_it_starts_all_parts_or_those_that_are_named() -> None:
    assert parts_named([]) == ALL_PARTS
    assert parts_named(["web", "beat"]) == ["web", "beat"]


def test_it_refuses_a_part_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["web", "flower"]) == 2
    said = capsys.readouterr().err
    assert said == 'There is no part "flower". The parts are: web, worker, beat, practice.\n'


@pytest.mark.parametrize("text", ["", "8000"])
def test_it_takes_the_port_that_is_set(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", text)
    assert port_from_environment("PORT", 8000) == 8000


@pytest.mark.parametrize("text", ["http", "-1", "0", "70000", "80.5", "٨٠"])
def test_it_refuses_what_is_no_port(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", text)
    with pytest.raises(CannotRun, match="which is not a port"):
        port_from_environment("PORT", 8000)


@pytest.mark.parametrize("offset", range(6))
def test_it_refuses_a_taken_port_of_any_part(offset: int) -> None:
    port, practice_port = (first := find_free(6)), first + 1
    taken = port + offset
    with (
        socket.create_server(("127.0.0.1", taken)),
        pytest.raises(CannotRun, match=f"Port {taken} cannot be used"),
    ):
        refuse_taken_ports("127.0.0.1", port, practice_port, ALL_PARTS)


def test_it_asks_for_no_port_of_a_part_that_it_does_not_start() -> None:
    port, practice_port = (first := find_free(6)), first + 1
    with (
        socket.create_server(("127.0.0.1", port)),
        socket.create_server(("127.0.0.1", practice_port)),
    ):
        refuse_taken_ports("127.0.0.1", port, practice_port, ["worker", "beat"])
        for part in ("web", "practice"):
            with pytest.raises(CannotRun, match="cannot be used"):
                refuse_taken_ports("127.0.0.1", port, practice_port, ["worker", part])


def test_it_leaves_free_ports_free() -> None:
    port, practice_port = (first := find_free(6)), first + 1
    refuse_taken_ports("127.0.0.1", port, practice_port, ALL_PARTS)
    refuse_taken_ports("127.0.0.1", port, practice_port, ALL_PARTS)


def test_it_refuses_ports_that_overlap() -> None:
    port = find_free(6)
    with pytest.raises(CannotRun, match=f"Port {port} cannot be used"):
        refuse_taken_ports("127.0.0.1", port, port - 2, ALL_PARTS)


def test_it_does_not_call_silence_an_answer() -> None:
    port = find_free(6)
    assert not page_answers(f"http://localhost:{port}/")
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(0)
        # It connects, and nobody says anything.
        assert not page_answers(f"http://localhost:{port}/", patience=0.2)
