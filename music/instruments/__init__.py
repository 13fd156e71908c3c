"""What sounds: the players of the melody, the tanpura and the drums. All samples are float32 at 44,100 Hz."""
