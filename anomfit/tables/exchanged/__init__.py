"""Tables for heavy neutrinos that exchange scalars and decay to pairs: three masses, and what couplings multiply."""
