"""MiniBooNE's table of exchanged scalars, whose bins ask for many nodes and much compression."""
