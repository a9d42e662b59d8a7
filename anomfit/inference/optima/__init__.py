"""All distinct optima of a problem: searched for, told apart, and what holds each of them."""
