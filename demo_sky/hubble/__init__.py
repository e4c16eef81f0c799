"""Simulated Hubble: deep-field mosaics for Zcut, Hubble Advanced Products for HAPCut."""
