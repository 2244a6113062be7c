"""The version that the box reports of itself."""

VERSION = "0.1.0"
