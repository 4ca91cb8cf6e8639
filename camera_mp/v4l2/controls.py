"""The controls of an open device: what there is, and setting one so that the answer is true."""

import errno
import re

from camera_mp.controls import Control
from camera_mp.errors import ControlRefused
from camera_mp.v4l2 import abi
from camera_mp.v4l2.device import Device
from camera_mp.v4l2.trouble import explain

_KINDS = {abi.V4L2_CTRL_TYPE_INTEGER: 'integer', abi.V4L2_CTRL_TYPE_BOOLEAN: 'boolean',
          abi.V4L2_CTRL_TYPE_MENU: 'menu', abi.V4L2_CTRL_TYPE_INTEGER_MENU: 'menu'}

# which automatic control makes another one inactive; v4l2-controls.h says so of each
_AUTOMATIC = {
    abi.V4L2_CID_BRIGHTNESS: abi.V4L2_CID_AUTOBRIGHTNESS,
    abi.V4L2_CID_HUE: abi.V4L2_CID_HUE_AUTO,
    abi.V4L2_CID_RED_BALANCE: abi.V4L2_CID_AUTO_WHITE_BALANCE,
    abi.V4L2_CID_BLUE_BALANCE: abi.V4L2_CID_AUTO_WHITE_BALANCE,
    abi.V4L2_CID_WHITE_BALANCE_TEMPERATURE: abi.V4L2_CID_AUTO_WHITE_BALANCE,
    abi.V4L2_CID_GAIN: abi.V4L2_CID_AUTOGAIN,
    abi.V4L2_CID_EXPOSURE: abi.V4L2_CID_EXPOSURE_AUTO,
    abi.V4L2_CID_EXPOSURE_ABSOLUTE: abi.V4L2_CID_EXPOSURE_AUTO,
    abi.V4L2_CID_FOCUS_ABSOLUTE: abi.V4L2_CID_FOCUS_AUTO,
}


def snake_case(title: str) -> str:
    """Give a control's name as v4l2-ctl does: 'Exposure Time, Absolute' is its example."""
    return '_'.join(re.findall('[a-z0-9]+', title.lower()))


class Controls:
    """
    All that can be set with a whole number on a device; any thread may use it.

    Buttons, bit masks, texts and arrays are left out.
    """

    def __init__(self, device: Device) -> None:
        """Find out what there is; the device may have none."""
        self._device = device
        self._menus: dict[int, dict[int, str]] = {}
        self._ids: dict[str, int] = {}
        control_id = 0
        while ((found := self._query(control_id | abi.V4L2_CTRL_FLAG_NEXT_CTRL))
               and found.id > control_id):
            control_id = found.id
            if found.type in _KINDS and not found.flags & (
                    abi.V4L2_CTRL_FLAG_DISABLED | abi.V4L2_CTRL_FLAG_WRITE_ONLY):
                self._add(found)

    def _query(self, control_id: int) -> abi.QueryControl | None:
        found = abi.QueryControl(id=control_id)
        try:
            self._device.ask_from_any_thread(abi.VIDIOC_QUERYCTRL, found)
        except OSError:
            return None  # EINVAL after the last one, ENOTTY if there are none
        return found

    def _add(self, found: abi.QueryControl) -> None:
        name = snake_case(found.name.decode(errors='replace')) or 'control'
        if name in self._ids:
            name = f'{name}_{found.id:08x}'
        self._ids[name] = found.id
        if _KINDS[found.type] == 'menu':
            self._menus[found.id] = self._list_menu(found)

    def _list_menu(self, found: abi.QueryControl) -> dict[int, str]:
        menu = {}
        for index in range(found.minimum, found.maximum + 1):
            item = abi.QueryMenu(id=found.id, index=index)
            try:
                self._device.ask_from_any_thread(abi.VIDIOC_QUERYMENU, item)
            except OSError:
                continue  # EINVAL: this camera lacks that item
            whole = found.type == abi.V4L2_CTRL_TYPE_INTEGER_MENU
            menu[index] = str(item.value) if whole else item.name.decode(errors='replace')
        return menu

    def list(self) -> tuple[Control, ...]:  # noqa: A003
        """Give all as they are now; one that cannot be read now is left out."""
        found = (self._describe(name) for name in self._ids)
        return tuple(control for control in found if control)

    def _describe(self, name: str) -> Control | None:
        control_id = self._ids[name]
        found = self._query(control_id)
        if not found:
            return None
        try:
            value = self._get(control_id)
        except OSError:
            return None
        return Control(
            name, found.name.decode(errors='replace'), _KINDS[found.type], found.minimum,
            found.maximum, found.step, found.default_value, value,
            self._menus.get(control_id, {}), bool(found.flags & abi.V4L2_CTRL_FLAG_READ_ONLY),
            bool(found.flags & abi.V4L2_CTRL_FLAG_INACTIVE))

    def _get(self, control_id: int) -> int:
        control = abi.Control(id=control_id)
        self._device.ask_from_any_thread(abi.VIDIOC_G_CTRL, control)
        value: int = control.value
        return value

    def set(self, name: str, value: int) -> int:  # noqa: A003
        """
        Set one and give what the driver made of it.

        Raises ControlRefused for a name or a value that is not allowed, for one that is
        read-only or inactive now, and if the driver refuses.
        """
        if name not in self._ids:
            raise ControlRefused(f'{name}: the camera has no such control; allowed: '
                                 f'{", ".join(self._ids) or "none"}')
        control_id = self._ids[name]
        found = self._query(control_id)
        if not found:
            raise ControlRefused(f'{name}: the camera does not answer')
        self._check(name, found, value)
        try:
            self._device.ask_from_any_thread(
                abi.VIDIOC_S_CTRL, abi.Control(id=control_id, value=value))
            return self._get(control_id)
        except OSError as error:
            raise ControlRefused(f'{name}: {value} was refused by the driver: '
                                 f'{_reason(self._device.path, error)}') from None

    def _check(self, name: str, found: abi.QueryControl, value: int) -> None:
        menu = self._menus.get(found.id)
        if menu is not None and value not in menu:
            allowed = ', '.join(f'{key} ({text})' for key, text in menu.items())
            raise ControlRefused(f'{name}: {value} is not allowed; allowed: {allowed}')
        if not found.minimum <= value <= found.maximum:
            raise ControlRefused(f'{name}: {value} is not allowed; allowed: {found.minimum} to '
                                 f'{found.maximum}')
        if found.flags & abi.V4L2_CTRL_FLAG_READ_ONLY:
            raise ControlRefused(f'{name}: read-only')
        if found.flags & abi.V4L2_CTRL_FLAG_GRABBED:
            raise ControlRefused(f'{name}: cannot be changed while the camera streams')
        if found.flags & abi.V4L2_CTRL_FLAG_INACTIVE:
            raise ControlRefused(f'{name}: inactive now{self._automatic(found.id)}')

    def _automatic(self, control_id: int) -> str:
        """Say which automatic control has taken this one over, if that can be known."""
        for name, other in self._ids.items():
            if other == _AUTOMATIC.get(control_id):
                return f', because {name} is automatic: change that first'
        return ''


def _reason(path: str, error: OSError) -> str:
    if error.errno in (errno.ENODEV, errno.EBUSY):
        return explain(path, error)
    return error.strerror or str(error)
