"""Servers on loopback that misbehave on request, and the recorded payloads."""
