"""The ROS linter for docstrings."""

import pytest


@pytest.mark.linter
@pytest.mark.pep257
def test_pep257() -> None:
    ament_pep257 = pytest.importorskip('ament_pep257.main', reason='comes with a ROS install')
    assert ament_pep257.main(argv=['.', 'test']) == 0
