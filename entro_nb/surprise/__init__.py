"""Surprise: how unlikely each value is by the values before it, and alarms with a promise.

The entropy of a window (seed 003) is the mean of the surprisals in it; an average forgets its
summands. Here each value is judged by itself, against the whole of the stream so far, in bits; a
conformal p-value (Vovk, Gammerman and Shafer 2005) makes it comparable between streams, and an
e-detector of those (Shin, Ramdas and Rinaldo 2022) raises alarms whose mean run length is promised
for any distribution.
"""

from entro_nb.surprise.evidence import odds as odds
from entro_nb.surprise.law import (
    CELLS as CELLS,
    ROWS as ROWS,
    Remembered as Remembered,
    judge as judge,
    nothing_seen as nothing_seen,
)
from entro_nb.surprise.monitor import (
    Judgement as Judgement,
    Surprise as Surprise,
    SurpriseConfig as SurpriseConfig,
)
