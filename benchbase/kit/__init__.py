"""Loops and steps that methods are made of. Imports the API and no other room."""
