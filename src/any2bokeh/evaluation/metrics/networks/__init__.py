"""Video networks behind published metrics, built here so that their well-known weights load without code of others."""
