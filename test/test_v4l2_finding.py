"""The camera that a user means is found, also after it moved, and never its twin."""

import errno
import re

from camera_mp.errors import SourceError
from camera_mp.v4l2.finding import find, Finder, list_cameras
from fake_sysfs import FakeHost
import pytest


def test_one_node_a_camera_in_the_order_of_their_numbers(usb: FakeHost) -> None:
    usb.plug(10, serial='B', port='1-2', link='usb-B-video-index0')
    usb.plug(2, serial='A')
    usb.plug(3, serial='A', index=1)
    usb.plug(4, port='1-4').caps = 0x2  # an output
    usb.plug(5, port='1-5').unplug()
    first, second = list_cameras()
    assert (first.path, first.serial, first.index) == (usb.path(2), 'A', 0)
    assert (second.path, second.name, second.driver, second.model, second.interface) == (
        usb.path(10), 'Test Camera', 'uvcvideo', '046d:0825', '00')
    assert [link.rpartition('/')[2] for link in second.links] == ['usb-B-video-index0']
    assert str(second) == f'{usb.path(10)} (Test Camera, serial B)'


def test_one_that_may_not_be_opened_is_listed(usb: FakeHost) -> None:
    usb.plug(0)
    usb.kernel.refused[usb.path(0)] = errno.EACCES
    assert len(list_cameras()) == 1


def test_by_number_link_serial_or_the_first(usb: FakeHost) -> None:
    usb.plug(0, serial='A', port='1-1')
    usb.plug(2, serial='B', port='1-2', link='usb-B-video-index0')
    usb.plug(3, serial='B', port='1-2', index=1)
    link = str(usb.dev / 'v4l' / 'by-id' / 'usb-B-video-index0')
    assert [find(wanted).path for wanted in ('', 'A', 'B', link, usb.path(2))] == [
        usb.path(number) for number in (0, 0, 2, 2, 2)]
    assert find(usb.path(3)).index == 1


@pytest.mark.parametrize(('wanted', 'text'), [
    ('X', "no camera has the serial number 'X'; there is"),
    ('/dev/video77', '/dev/video77 does not exist; there is'),
])
def test_one_that_is_not_there(usb: FakeHost, wanted: str, text: str) -> None:
    with pytest.raises(SourceError, match=text + ' no camera on this host'):
        find(wanted)
    usb.plug(0, serial='A')
    with pytest.raises(SourceError, match=text + r': /.*/video0 \(Test Camera, serial A\)'):
        find(wanted)


def test_no_camera_at_all(usb: FakeHost) -> None:
    with pytest.raises(SourceError, match='video_device: there is no camera on this host'):
        find('')


def test_a_serial_number_of_two_cameras_is_refused(usb: FakeHost) -> None:
    usb.plug(0, serial='1234', port='1-1', link='usb-a')
    usb.plug(2, serial='1234', port='1-2')
    with pytest.raises(SourceError, match=re.escape(
            f"several cameras have the serial number '1234'; allowed: {usb.dev}/v4l/by-id/usb-a, "
            f'{usb.path(2)}')):
        find('1234')


def test_two_pictures_of_one_camera_are_no_two_cameras(usb: FakeHost) -> None:
    usb.plug(0, serial='1234', interface='00')
    usb.plug(2, serial='1234', interface='02')
    assert find('1234').path == usb.path(0)


@pytest.mark.parametrize('by_number', [True, False])
def test_it_is_found_again_under_another_number_and_in_another_socket(
        usb: FakeHost, by_number: bool) -> None:
    wanted = usb.path(0) if by_number else ''
    usb.plug(0, serial='A', port='1-1')
    finder = Finder()
    finder.find(wanted)
    usb.unplug(0)
    usb.plug(0, serial='B', port='1-1')  # its twin has taken its number and its socket
    with pytest.raises(SourceError, match=r'video0 \(Test Camera, serial A\) is gone; there is: '
                       '.*serial B'):
        finder.find(wanted)
    usb.plug(4, serial='A', port='1-3')
    assert finder.find(wanted).path == usb.path(4)
    assert finder.find(usb.path(4)).path == usb.path(4)


@pytest.mark.parametrize('serial', ['', '1234'])
def test_without_a_serial_number_of_its_own_the_socket_tells(usb: FakeHost, serial: str) -> None:
    usb.plug(0, serial=serial, port='1-1')
    usb.plug(2, serial=serial, port='1-2')
    finder = Finder()
    finder.find(usb.path(0))
    usb.unplug(0)
    usb.plug(6, serial=serial, port='1-3')
    with pytest.raises(SourceError, match='is gone'):
        finder.find(usb.path(0))
    usb.plug(7, serial=serial, port='1-1')
    assert finder.find(usb.path(0)).path == usb.path(7)


def test_serial_numbers_and_links_are_looked_up_anew(usb: FakeHost) -> None:
    finder = Finder()
    usb.plug(0, serial='A', link='left')
    link = str(usb.dev / 'v4l' / 'by-id' / 'left')
    assert {finder.find('A').path, finder.find(link).path} == {usb.path(0)}
    usb.unplug(0)
    usb.plug(3, serial='A', link='left')
    assert {finder.find('A').path, finder.find(link).path} == {usb.path(3)}
