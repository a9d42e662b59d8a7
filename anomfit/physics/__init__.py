"""Pure functions of masses and couplings: kinematics, exchanges and reactions, loops, flavour, widths, form factors."""
