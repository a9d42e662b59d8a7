"""Best fits, errors, profiles, samplers and comparisons: everything here sees one likelihood and no experiment."""
