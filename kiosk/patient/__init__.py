"""Who somebody is: the normalisers every entrance calls, the plain data it hands on, and the sealed envelope."""
