"""Tables for scalars that are radiated off an exchanged vector: three masses, one product of couplings."""
