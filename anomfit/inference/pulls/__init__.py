"""Pulls that measurements alone know, integrated out while the parameters are sampled, and drawn afterwards."""
