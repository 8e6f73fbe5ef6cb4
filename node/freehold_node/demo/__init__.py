"""The demonstration: one person, one sample shop and its courier, on loopback, every step checked."""
