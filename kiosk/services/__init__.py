"""The parts of each process, made when it starts and closed when it ends."""
