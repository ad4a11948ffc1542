"""The simulated ABDM gateway and invented people, for `kiosk demo`, the tests and the load tests."""
