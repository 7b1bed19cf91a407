"""Sweeps: any simulation over a grid of parameters and replicates, at any scale.

`sweep` runs it, in this process or on a Dask cluster, into memory or into a Zarr store; what a
run gives depends on its parameters, its replicate and the seed, and on nothing else.
"""

from entro_nb.sweep.file import read
from entro_nb.sweep.run import sweep
from entro_nb.sweep.simulation import SIMULATIONS, Simulation

__all__ = ["SIMULATIONS", "Simulation", "read", "sweep"]
