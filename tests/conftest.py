"""For all tests: how long one takes says nothing about what it shows."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
