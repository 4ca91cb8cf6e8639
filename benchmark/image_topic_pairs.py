"""Pairs of a publisher and a subscriber, one for each way to set them up, and what they did."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
import os
import time
import zlib

from camera_mp.frame import FrameFormat
from image_topic_frames import Converter, PICTURES, pictures, to_bytes, to_object
from image_topic_processes import publish, QUALITIES, running, Sent, topic_of, Tuning
from image_topic_subscriber import Arrival, Seen, subscribe

_DRAIN = 0.25     # seconds for the last images to arrive
_PATIENCE = 20.0  # seconds
_ATTEMPTS = 20    # until both ends know each other and each picture has come


@dataclass(frozen=True, eq=False)
class Way:
    """How a pair is set up: tuning of both sides, the form of a message, discovery range."""

    name: str
    publisher: Tuning
    subscriber: Tuning
    convert: Callable[[FrameFormat], Converter]
    discovery: str = ''


STOCK = Way('stock', None, None, to_object)
OURS = Way('ours', {'publisher': True}, {}, to_bytes)
UNTOUCHED = Way('ours, untouched subscriber', {'publisher': True}, None, to_bytes)
OBJECT = Way('ours, Image object', {'publisher': True}, {}, to_object)


@dataclass(frozen=True)
class Block:
    """Some images one after the other: what was sent and what came of it."""

    sent: Sent
    seen: Seen

    @property
    def delivered(self) -> list[Arrival]:
        """Give the images sent in this block that arrived, each once."""
        stamps = set(self.sent.stamps)
        return list({image.stamp: image for image in self.seen.images
                     if image.stamp in stamps}.values())

    def is_true(self, form: FrameFormat) -> bool:
        """Tell whether each image that arrived is whole and the one sent with its stamp."""
        number = {stamp: place % PICTURES for place, stamp in enumerate(self.sent.stamps)}
        return all(image.nbytes == form.nbytes and image.number == number[image.stamp]
                   for image in self.delivered)


class Pair:
    """A running publisher and its subscriber."""

    def __init__(self, way: Way, sender: Connection, receiver: Connection) -> None:
        self.way = way
        self._sender, self._receiver = sender, receiver

    def run(self, quality: str, form: FrameFormat, count: int, checks: bool = False) -> Block:
        """Send `count` images at 30 Hz."""
        self._take(checks)
        self._sender.send((quality, form, count))
        if not self._sender.poll(_PATIENCE + count / 30):
            raise SystemExit(f'{self.way.name}, {form}: publisher and subscriber do not meet')
        sent: Sent = self._sender.recv()
        time.sleep(_DRAIN)
        block = Block(sent, self._take(checks))
        if not block.is_true(form):
            raise SystemExit(f'{self.way.name}, {form}: an image is not the one that was sent')
        return block

    def _take(self, checks: bool) -> Seen:
        self._receiver.send(checks)
        seen: Seen = self._receiver.recv()
        return seen

    def check(self, quality: str, form: FrameFormat) -> None:
        """Make sure that reliable pictures come, all of them, and that all have their pixels."""
        wanted = [zlib.crc32(picture.tobytes()) for picture in pictures(form)]
        missing = set(range(PICTURES)) if quality == 'reliable' else set()
        for _ in range(_ATTEMPTS):
            images = self.run(quality, form, PICTURES, checks=True).delivered
            if any(image.checksum != wanted[image.number] for image in images):
                raise SystemExit(f'{self.way.name}, {form}: wrong pixels')
            missing -= {image.number for image in images}
            if not missing:
                return
        raise SystemExit(f'{self.way.name}, {form}: pictures {missing} never arrived')


@contextmanager
def pairs(ways: Sequence[Way]) -> Iterator[list[Pair]]:
    """Run a pair for each way."""
    with ExitStack() as stack:
        pipes = []
        for number, way in enumerate(ways):
            name = f'/benchmark_{os.getpid()}/pair{number}'
            topics = {topic_of(name, quality): quality for quality in QUALITIES}
            pipes.append((stack.enter_context(running(
                publish, name, way.discovery, way.publisher, way.convert)), stack.enter_context(
                running(subscribe, topics, way.discovery, way.subscriber))))
        for _, receiver in pipes:
            receiver.recv()
        yield [Pair(way, *both) for way, both in zip(ways, pipes, strict=True)]
        for sender, receiver in pipes:  # so that they end at the same time
            sender.close()
            receiver.close()
