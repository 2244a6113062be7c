"""Simulated cameras: real vendor payloads over HTTP, written from the vendors' formats alone."""
