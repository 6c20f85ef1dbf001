"""Settings that all tests share."""

from hypothesis import HealthCheck, settings

# The first call of a compiled kernel takes seconds, and the machines that run the tests are busy: no deadlines.
settings.register_profile("slipform", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("slipform")
