"""What one start says to another."""

import socket

import pytest
from hr.__main__ import CannotListen, bound
from hr.settings import Settings


def test_a_port_that_is_taken_is_told_with_what_to_do():
    told = pytest.raises(CannotListen, match="set HR_PORT")
    with socket.create_server(("127.0.0.1", 0)) as taken, told:
        bound(Settings(port=taken.getsockname()[1]))
    with pytest.raises(CannotListen, match="set HR_PORT"):
        bound(Settings(port=99_999))


def test_nobody_is_let_in_before_everything_is_ready():
    with bound(Settings(port=0)) as address, pytest.raises(ConnectionRefusedError):
        socket.create_connection(address.getsockname())
