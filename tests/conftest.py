"""What all tests share: no network beyond this machine, and one demo sky."""

import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that reaches for another machine, by address or by name."""

    def guarded_connection(name: str) -> Any:
        real = getattr(socket.socket, name)

        def connect(self: socket.socket, address: Any) -> Any:
            if self.family in {socket.AF_INET, socket.AF_INET6}:
                _check_loopback(address[0])
            return real(self, address)

        return connect

    real_getaddrinfo = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _check_loopback(host)
        return real_getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connection("connect"))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connection("connect_ex"))
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def _check_loopback(host: Any) -> None:
    if host is not None and not _is_loopback(host):
        pytest.fail(f"the test reached for {host}: only 127.0.0.1 is allowed")


def _is_loopback(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(name.split("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session")
def demo_url() -> Iterator[str]:
    """Root URL of a demo sky that runs for the whole session."""
    from demo_sky.server import start

    server = start()
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def real_replies() -> Path:
    """Folder of real MAST replies; skips where they are not beside the checkout."""
    folder = ROOT.parent / "shared" / "data" / "real"
    if not folder.is_dir():
        pytest.skip("the real MAST replies are not beside this checkout (../shared/data/real)")
    return folder
