"""Who somebody is: the plain data every entrance hands on, and the envelope in which it is sealed."""
