import errno
import json
import math
import os
from pathlib import Path
import resource
import subprocess
import sys
from typing import Any

from camera_mp import realtime
from camera_mp.errors import SettingError
from camera_mp.realtime import enter_realtime, RealtimeWishes
import pytest

# in a process of its own: what is granted is not given back
PROGRAM = """
import gc, json, mmap, os, resource, sys
from camera_mp.realtime import RealtimeWishes, enter_realtime
def locked_kb():
    return int(open('/proc/self/status').read().partition('VmLck:')[2].split()[0])
if sys.argv[1] == 'nobody':
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536))
    if os.geteuid() == 0:
        os.setresuid(65534, 65534, 65534)
entered = enter_realtime(RealtimeWishes(**json.loads(sys.argv[2])))
locked = locked_kb()
later = mmap.mmap(-1, 16 << 20)
print(json.dumps({
    'in_force': entered.in_force, 'warnings': entered.warnings, 'gc': gc.isenabled(),
    'policy': os.sched_getscheduler(0), 'priority': os.sched_getparam(0).sched_priority,
    'cpus': sorted(os.sched_getaffinity(0)), 'frozen': gc.get_freeze_count() > 0,
    'switch': sys.getswitchinterval(), 'locked': locked, 'later': locked_kb() - locked,
    'slack': int(open('/proc/self/timerslack_ns').read())}))
"""
FIFO, ORDINARY = os.SCHED_FIFO, os.SCHED_OTHER


def enter(who: str = 'me', **wishes: object) -> dict[str, Any]:
    command = [sys.executable, '-c', PROGRAM, who, json.dumps(wishes)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True,
                            cwd=Path(__file__).parent.parent)
    entered: dict[str, Any] = json.loads(result.stdout)
    return entered


def test_each_wish_is_in_force_or_has_a_warning() -> None:
    cpu = min(os.sched_getaffinity(0))
    entered = enter(rt_priority=7, cpu_affinity=[cpu])
    in_force, warnings = entered['in_force'], entered['warnings']
    assert len(in_force) + len(warnings) == 6
    assert 'GIL switch 50 us' in in_force
    assert entered['switch'] == pytest.approx(50e-6)
    granted = 'SCHED_FIFO 7' in in_force
    assert (entered['policy'], entered['priority']) == ((FIFO, 7) if granted else (ORDINARY, 0))
    assert ('memory locked' in in_force) == realtime._may_lock_all()
    assert ('memory locked' in in_force) == (entered['locked'] > 0)
    assert ('memory locked' in in_force) == (entered['later'] >= 16 * 1024)
    assert 'gc off' in in_force
    assert (entered['gc'], entered['frozen']) == (False, True)
    assert f'CPU {cpu}' in in_force
    assert entered['cpus'] == [cpu]


def test_what_is_not_wished_is_left_alone() -> None:
    entered = enter(rt_priority=0, lock_memory=False, disable_gc=False, switch_interval=0)
    assert entered['in_force'] == ['timer slack 1 ns']
    assert entered['warnings'] == []
    assert (entered['policy'], entered['locked'], entered['gc']) == (ORDINARY, 0, True)
    assert entered['cpus'] == sorted(os.sched_getaffinity(0))
    assert (entered['slack'], entered['switch']) == (1, 0.005)


def test_an_ordinary_user_is_told_how_to_allow_it_and_runs_on() -> None:
    entered = enter('nobody', rt_priority=80)
    assert entered['in_force'] == ['gc off', 'GIL switch 50 us', 'timer slack 1 ns']
    memory, fifo = entered['warnings']
    assert memory.startswith('lock_memory: refused, ulimit -l is not unlimited')
    assert "- memlock unlimited' in /etc/security/limits.conf" in memory
    assert fifo.startswith('rt_priority: SCHED_FIFO 80 refused: Operation not permitted')
    assert "- rtprio 80' in /etc/security/limits.conf" in fifo
    assert 'sudo setcap cap_sys_nice+ep /' in fifo
    assert '\n' not in memory + fifo
    assert (entered['policy'], entered['locked']) == (ORDINARY, 0)


@pytest.mark.parametrize('priority', [-1, 100])
def test_a_priority_out_of_range_is_refused(priority: int) -> None:
    with pytest.raises(SettingError) as refused:
        RealtimeWishes(rt_priority=priority)
    assert str(refused.value) == (
        f'rt_priority: {priority} is not allowed; allowed: 0 (off) to 99')


@pytest.mark.parametrize('seconds', [-1.0, 1e-6, 2.0, math.nan, math.inf])
def test_a_switch_interval_out_of_range_is_refused(seconds: float) -> None:
    with pytest.raises(SettingError) as refused:
        RealtimeWishes(switch_interval=seconds)
    assert str(refused.value) == (f'switch_interval: {seconds} s is not allowed; '
                                  'allowed: 0 (leave it), 1e-05 to 1')


@pytest.mark.parametrize('cpu', [-1, 4096])
def test_a_cpu_that_is_not_there_is_refused(cpu: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, 'read_text', lambda path: '0-1,4\n')  # cores of a Jetson may be off
    with pytest.raises(SettingError) as refused:
        RealtimeWishes(cpu_affinity=[4, cpu])
    assert str(refused.value) == f'cpu_affinity: {cpu} is not allowed; allowed: 0, 1, 4'


def test_the_cpus_of_this_machine_are_there() -> None:
    assert RealtimeWishes(cpu_affinity=sorted(os.sched_getaffinity(0))).rt_priority == 80


@pytest.fixture
def only_affinity(monkeypatch: pytest.MonkeyPatch) -> RealtimeWishes:
    monkeypatch.setattr(Path, 'read_text', lambda path: '0-7\n')
    monkeypatch.setattr(os, 'sched_getaffinity', lambda pid: {0, 1})
    return RealtimeWishes(0, lock_memory=False, cpu_affinity=[1, 5], disable_gc=False,
                          switch_interval=0)


def test_cpus_outside_the_container_are_a_warning(
        only_affinity: RealtimeWishes, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, cpus: set[int]) -> None:
        raise OSError(errno.EINVAL, 'Invalid argument')
    monkeypatch.setattr(os, 'sched_setaffinity', refuse)
    assert enter_realtime(only_affinity).warnings == (
        'cpu_affinity: 1, 5 refused: Invalid argument; this process is confined to CPU 0, 1 '
        '(cpuset of its container?)',)


def test_cpus_granted_in_part_are_a_warning(
        only_affinity: RealtimeWishes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, 'sched_setaffinity', lambda pid, cpus: None)
    assert enter_realtime(only_affinity).warnings == (
        'cpu_affinity: of 1, 5 only CPU 0, 1 granted; allow the others in the cpuset of the '
        'container or service',)


def test_a_hard_limit_that_is_none_allows_to_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    raised = []
    infinite = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, 'getrlimit', lambda which: (65536, infinite))
    monkeypatch.setattr(resource, 'setrlimit', lambda which, limits: raised.append(limits))
    assert realtime._may_lock_all()
    assert raised == [(infinite, infinite)]
