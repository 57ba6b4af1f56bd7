"""The networks: U-Net, autoencoder, and what they are conditioned on. Nothing here knows files or clips."""
