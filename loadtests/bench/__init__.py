"""What a scan costs and how many fit into a second, against a yardstick in the same run; public doors only."""
