"""Video4Linux: cameras by the kernel's own interface, with nothing between."""
