"""Likelihood terms and limits as likelihoods: functions of predictions and data."""
