"""What the stages minimise."""

import torch
import torch.nn.functional as F

_SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))
_SMOOTH = 1e-6


def latent_loss(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared error of latents, in float32 or finer; stages 1 and 2."""
    return F.mse_loss(at_least_float32(predicted), at_least_float32(target))


def picture_loss(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """L1 of the pixels plus L1 of their Sobel magnitudes, equal weights; stage 3.

    Args:
        predicted, target: ``(N, C, H, W)``, computed in float32 or finer.

    Source: Yang et al., Any-to-Bokeh, ICLR 2026, stage 3. It gives no weights; ours are 1 and 1.
    """
    predicted, target = at_least_float32(predicted), at_least_float32(target)
    return F.l1_loss(predicted, target) + F.l1_loss(sobel_magnitude(predicted), sobel_magnitude(target))


def sobel_magnitude(pictures: torch.Tensor) -> torch.Tensor:
    """Length of the Sobel gradient of every channel, in units of the picture per pixel.

    Args:
        pictures: ``(N, C, H, W)``; the outermost row and column are repeated.

    Returns:
        ``(N, C, H, W)``. A tiny constant under the root keeps its derivative finite where the picture is flat.
    """
    channels = pictures.shape[1]
    kernel = pictures.new_tensor(_SOBEL) / 8.0
    kernels = torch.stack([kernel, kernel.T])[:, None].repeat(channels, 1, 1, 1)  # (2 C, 1, 3, 3)
    padded = F.pad(pictures, (1, 1, 1, 1), mode="replicate")
    gradient = F.conv2d(padded, kernels, groups=channels).unflatten(1, (channels, 2))
    return (gradient.square().sum(dim=2) + _SMOOTH).sqrt()


def thumbnails(pictures: torch.Tensor, reduction: int = 8) -> torch.Tensor:
    """What latents can be told to be where there is no time to let them be found.

    Args:
        pictures: ``(N, 3, H, W)`` in [-1, 1].
        reduction: side of a block, px.

    Returns:
        ``(N, 4, H / reduction, W / reduction)``: the mean of each block in three channels, and four times the standard
        deviation of its grey, which says how sharp the block is.
    """
    pictures = at_least_float32(pictures)
    grey = pictures.mean(dim=1, keepdim=True)
    mean, square = F.avg_pool2d(grey, reduction), F.avg_pool2d(grey.square(), reduction)
    contrast = (square - mean.square()).clamp(min=0.0).sqrt()
    return torch.cat([F.avg_pool2d(pictures, reduction), 4.0 * contrast], dim=1)


def divergence_from_normal(mean: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    """Kullback-Leibler divergence of a posterior from the standard normal distribution, the mean over all elements.

    Source: Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014, appendix B.
    """
    mean, logvar = at_least_float32(mean), at_least_float32(logvar)
    return 0.5 * (mean.square() + logvar.exp() - 1.0 - logvar).mean()


def at_least_float32(values: torch.Tensor) -> torch.Tensor:
    """Half precisions as float32; float64 stays, so that a run in it is in it throughout."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
