"""The simulated sky itself: which stars there are, and how their light varies."""
