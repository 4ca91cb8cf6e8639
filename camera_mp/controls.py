"""What can be set on an open camera: brightness, exposure, focus and the like."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Control:
    """
    One control of a device, as its driver describes it.

    name: the driver's, in lower_snake case. title: the driver's own words.
    kind: 'integer', 'boolean' or 'menu'; a menu's value is one of the keys of `menu`.
    inactive: it exists, but has no effect now (exposure while that is automatic).
    """

    name: str
    title: str
    kind: str
    minimum: int
    maximum: int
    step: int
    default: int
    value: int
    menu: dict[int, str] = field(default_factory=dict)
    read_only: bool = False
    inactive: bool = False
