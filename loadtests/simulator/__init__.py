"""What `kiosk demo`, the tests and the load tests play with: the ABDM gateway and invented people."""
