"""A process with components in it, without composition_interfaces: the names of the nodes."""

import os
import sys

from camera_mp.nodes.components import Components, LoadRequest
from camera_mp.nodes.run import ProcessNode, run


class Host(ProcessNode):
    """Loads a CameraNode in each namespace of the command line."""

    def __init__(self) -> None:
        super().__init__('host')
        self._components = Components(self.context, self.get_logger())
        for namespace in os.environ['NAMESPACES'].split():
            self._components.load(LoadRequest(
                'camera_mp', 'camera_mp::CameraNode', node_namespace=namespace))

    def close(self) -> None:
        """End them."""
        self._components.close()


if __name__ == '__main__':
    sys.exit(run(Host))
