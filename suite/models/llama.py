"""The process that holds an embedded model: llama.cpp's own HTTP server, from the xllamacpp wheel.

    llama.main(WEIGHTS PORT SLOTS WINDOW THREADS NAME)

A process of its own, since the engine's threads must neither share our interpreter lock nor outlive us.
"""

import os
import signal


def main(arguments: list[str]) -> None:
    """Serve until told to stop."""
    import xllamacpp

    weights, port, slots, window, threads, name = arguments
    params = xllamacpp.CommonParams()
    params.model.path = weights
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = int(port)
    params.n_parallel = int(slots)
    params.n_ctx = int(window) * int(slots)
    params.cpuparams.n_threads = int(threads)
    params.cpuparams_batch.n_threads = int(threads)
    params.api_keys = [os.environ["SUITE_SERVER_KEY"]]
    params.use_jinja = True
    params.verbosity = 0
    params.cache_ram_mib = 256
    params.warmup = False
    server = xllamacpp.Server(params)
    while server.listening_address:
        signal.pause()
