"""What is pooled, read from files: arrays and pictures, with the values that the file has."""
