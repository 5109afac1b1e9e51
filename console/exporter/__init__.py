"""What Prometheus is told that no request and no worker tells: found out by asking.

One file a probe. Most are asked by one console at a time; each says what it found as series, and
what can no longer be found out is taken away rather than left standing.
"""
