"""What a massage or a machine does at the sensor, told from what the sleeper does."""
