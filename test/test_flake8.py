"""The ROS linter for style; `make lint` has ruff and mypy."""

import pytest

ament_flake8 = pytest.importorskip('ament_flake8.main', reason='comes with a ROS install')


@pytest.mark.flake8
@pytest.mark.linter
def test_flake8() -> None:
    code, errors = ament_flake8.main_with_errors(argv=[])
    assert code == 0, '\n'.join(errors)
