"""Folder to put on PYTHONPATH: `import RPi.GPIO` then finds the simulated module. Nothing is imported
from here."""
