"""beams."""
