from glob import glob

from setuptools import find_packages, setup

NAME = 'camera_mp'

setup(
    name=NAME,
    version='0.1.0',
    description='Cameras in processes of their own, frames in shared memory and on ROS 2 topics',
    license='Apache-2.0',
    author='camera_mp developers',
    maintainer='camera_mp developers',
    maintainer_email='maintainers@users.noreply.github.com',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={NAME: ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        (f'share/{NAME}/launch', glob('launch/*.launch.py')),
        (f'share/{NAME}/config', glob('config/*')),
    ],
    python_requires='>=3.10',
    install_requires=['setuptools', 'numpy', 'PyYAML'],
    extras_require={'test': ['pytest', 'hypothesis']},  # colcon test runs pytest because of it
    zip_safe=True,
    entry_points={'console_scripts': [
        'bringup = camera_mp.bringup:main',
        'camera = camera_mp.nodes.camera:main',
        'capture = camera_mp.capture:main',
        'component_container = camera_mp.nodes.component_container:main',
        'command_loop = camera_mp.nodes.command_loop:main',
        'detect = camera_mp.detect:main',
        'detector = camera_mp.nodes.detector:main',
        'list_cameras = camera_mp.list_cameras:main',
        'proof = camera_mp.proof.program:main',
        'record = camera_mp.record:main',
        'recorder = camera_mp.nodes.recorder:main',
        'top = camera_mp.top:main',
        'view = camera_mp.view:main',
        'viewer = camera_mp.nodes.viewer:main',
    ], 'rclpy_components': [  # for component_container: PLUGIN = MODULE:CLASS
        'camera_mp::CameraNode = camera_mp.nodes.camera:CameraNode',
    ]},
)
