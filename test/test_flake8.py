"""The ROS linter for style; `make lint` has ruff and mypy."""

import pytest


@pytest.mark.flake8
@pytest.mark.linter
def test_flake8() -> None:
    ament_flake8 = pytest.importorskip('ament_flake8.main', reason='comes with a ROS install')
    code, errors = ament_flake8.main_with_errors(argv=[])
    assert code == 0, '\n'.join(errors)
