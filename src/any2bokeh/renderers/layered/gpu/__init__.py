"""The layered engine on a GPU: WebGPU compute shaders, one stage a file, in ``wgsl/``.

``renderer.py`` is the door. The CPU engine around it says what is right: ``self_test.py`` compares the two before an
adapter is used.
"""
