"""The Numenta Anomaly Benchmark: recorded streams, what people marked in them, and the scorer.

58 streams of servers, traffic, tweets, advertisements, temperatures and taxis with 116 windows in
which people marked something unusual (A. Lavin and S. Ahmad, "Evaluating real-time anomaly
detection algorithms: the Numenta Anomaly Benchmark", 2015; MIT licence beside the data). It is the
one corpus of real streams with published scores of many detectors. Its flaws have to be told with
every score: labels are debatable, some anomalies are trivial, early alarms in wide windows earn
most, and every published score has its threshold chosen on what is scored (R. Wu and E. Keogh,
"Current time series anomaly detection benchmarks are flawed and are creating the illusion of
progress", 2021). Hence the two halves, to choose on one and score on the other, and the score at a
limit that was fixed beforehand.
"""

from entro_nb.benchmark.corpus import (
    HALVES as HALVES,
    LabelledStream as LabelledStream,
    nab_corpus as nab_corpus,
    probation as probation,
    scoreboard as scoreboard,
)
from entro_nb.benchmark.peers import (
    DETECTORS as DETECTORS,
    board as board,
    frames as frames,
    windowed_gaussian as windowed_gaussian,
    z_scores as z_scores,
)
from entro_nb.benchmark.score import (
    PROFILES as PROFILES,
    detect as detect,
    nab as nab,
    score_nab as score_nab,
    standing as standing,
)
