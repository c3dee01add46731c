"""`ekc up`: starts the parts, watches them, restarts what dies or hangs, and leaves nothing behind."""

from ivr.supervisor.part import Part
from ivr.supervisor.probing import Probe
from ivr.supervisor.supervisor import Supervisor

__all__ = ["Part", "Probe", "Supervisor"]
