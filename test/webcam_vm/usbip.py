"""
USB devices written in Python, plugged into this machine's own kernel.

The module vhci_hcd is a USB host controller whose ports lead to sockets. What goes over them is
the USB/IP protocol, of Documentation/usb/usbip_protocol.rst in the kernel's sources; all its
numbers are big-endian. A socket pair is enough: no network, no server.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
import select
import socket
import struct
import threading
import time

_CONTROLLER = Path('/sys/devices/platform/vhci_hcd.0')
_HIGH_SPEED = 3    # USB_SPEED_HIGH of include/uapi/linux/usb/ch9.h
_PORT_FREE = 4     # VDEV_ST_NULL of tools/usb/usbip/libsrc/usbip_common.h
_PATIENCE = 10.0   # seconds that the kernel gets to free a port

_CMD_SUBMIT, _CMD_UNLINK, _RET_SUBMIT, _RET_UNLINK = 1, 2, 3, 4
_HEADER = 48       # bytes of every message, before the data
_EPIPE, _ECONNRESET = -32, -104


class Stall(Exception):
    """The device does not know the request; USB calls the answer a stall."""


@dataclass(frozen=True)
class Setup:
    """The setup packet of a control request; USB 2.0, table 9-2."""

    request_type: int
    request: int
    value: int
    index: int
    length: int


@dataclass(frozen=True)
class Transfer:
    """A request of the host to read `length` bytes from an endpoint, waiting for its answer."""

    number: int
    length: int


class UsbDevice(ABC):
    """
    A device with one bulk endpoint that the host reads; a thread of its own while plugged in.

    port: of the controller, 0 to 7. waiting: transfers that the host wants data for, oldest
    first; only `stream` takes from it.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.waiting: list[Transfer] = []

    @abstractmethod
    def control(self, setup: Setup, data: bytes) -> bytes:
        """Carry a control request out and give the bytes to send back; raises Stall."""

    @abstractmethod
    def stream(self) -> float | None:
        """Answer what is waiting with `send`; give the seconds until it wants to be called."""

    @abstractmethod
    def halted(self) -> None:
        """Forget data that is half sent: the host has taken its transfers back."""

    def plug(self) -> None:
        """Plug it in; the host finds its drivers by itself, a moment later."""
        self._wait_for_port()
        self.waiting.clear()
        self._socket, kernels = socket.socketpair()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self._thread = threading.Thread(target=self._run, args=[self._socket], daemon=True)
        self._thread.start()
        with kernels:
            (_CONTROLLER / 'attach').write_text(
                f'{self._port} {kernels.fileno()} {self._port + 1} {_HIGH_SPEED}')

    def unplug(self) -> float:
        """Pull it out; give the moment of that, by the monotonic clock in seconds."""
        moment = time.monotonic()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        return moment

    def _wait_for_port(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while self._port_status() != _PORT_FREE:
            if time.monotonic() > deadline:
                raise TimeoutError(f'port {self._port} of vhci_hcd is never free')
            time.sleep(0.01)

    def _port_status(self) -> int:
        for line in (_CONTROLLER / 'status').read_text().splitlines()[1:]:
            hub, port, status = line.split()[:3]
            if hub == 'hs' and int(port) == self._port:
                return int(status)
        raise ValueError(f'vhci_hcd has no port {self._port}')

    def _run(self, wire: socket.socket) -> None:
        received = bytearray()
        wait: float | None = None
        with wire:
            while True:
                if select.select([wire], [], [], wait)[0]:
                    try:
                        data = wire.recv(1 << 16)
                    except ConnectionResetError:
                        return
                    if not data:
                        return
                    received += data
                try:
                    while (length := self._handle(received)):
                        del received[:length]
                    wait = self.stream()
                except BrokenPipeError:
                    return  # pulled out

    def _handle(self, received: bytearray) -> int:
        """Handle the message at the beginning; give its length, 0 if it is not all there."""
        if len(received) < _HEADER:
            return 0
        command, number, _, to_host, endpoint = struct.unpack_from('>5I', received)
        if command == _CMD_UNLINK:
            self._unlink(number, *struct.unpack_from('>I', received, 20))
            return _HEADER
        length, = struct.unpack_from('>I', received, 24)
        end = _HEADER + (0 if to_host else length)
        if len(received) < end:
            return 0
        if endpoint:
            self.waiting.append(Transfer(number, length))
        else:
            self._answer(number, bytes(received[40:48]), bytes(received[_HEADER:end]))
        return end

    def _answer(self, number: int, setup: bytes, data: bytes) -> None:
        request = Setup(*struct.unpack('<BBHHH', setup))
        try:
            answer = self.control(request, data)[:request.length]
        except Stall:
            self._reply(number, _EPIPE, 0, b'')
        else:
            self._reply(number, 0, len(data) or len(answer), answer)

    def _unlink(self, number: int, unwanted: int) -> None:
        had = [transfer for transfer in self.waiting if transfer.number == unwanted]
        for transfer in had:
            self.waiting.remove(transfer)
        self.halted()
        self._socket.sendall(struct.pack(
            '>5Ii24x', _RET_UNLINK, number, 0, 0, 0, _ECONNRESET if had else 0))

    def send(self, transfer: Transfer, data: bytes | memoryview) -> None:
        """Answer a transfer; less than its length ends a bulk message."""
        self._reply(transfer.number, 0, len(data), data)

    def _reply(self, number: int, status: int, done: int, data: bytes | memoryview) -> None:
        header = struct.pack('>5I5i8x', _RET_SUBMIT, number, 0, 0, 0, status, done, 0, 0, 0)
        sent = self._socket.sendmsg([header, data])
        if sent < len(header) + len(data):
            self._socket.sendall((header + data)[sent:])
