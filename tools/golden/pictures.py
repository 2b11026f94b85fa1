"""The pictures of the goldens: our own, drawn from a seed, none square, one that has to be enlarged, one almost flat, one all detail."""

import numpy
from PIL import Image

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def _field(random, height, width, waves):
    """A smooth pattern of `waves` plane waves per channel with some noise, in -1...1.

    The waves' length is counted in pixels, so that pictures of any size have detail for a resampler to get wrong.
    """
    rows, columns = numpy.mgrid[0:height, 0:width]
    field = numpy.zeros((height, width, 3))
    for channel in range(3):
        for _ in range(waves):
            down, across, phase = random.uniform(-0.8, 0.8), random.uniform(-0.8, 0.8), random.uniform(0, 6.28)
            field[:, :, channel] += numpy.sin(down * rows + across * columns + phase)
    field /= numpy.abs(field).max()
    return 0.8 * field + 0.2 * random.uniform(-1, 1, field.shape)


def draw(folder, size):
    """Writes the PNG files for models of about `size` x `size` pixels; returns their paths in order."""
    folder.mkdir(parents=True, exist_ok=True)
    random = numpy.random.Generator(numpy.random.PCG64(20))
    # Height, width. The landscape leaves a margin of 4n + 3: transformers and torchvision round the half of it differently.
    shapes = {
        "landscape": (round(size * 1.09), round(size * 1.63)),
        "portrait": (round(size * 3.11), round(size * 2.05)),
        "enlarged": (round(size * 0.52), round(size * 0.65)),
        "flat": (round(size * 1.3), round(size * 1.02)),
        "weave": (round(size * 1.61), round(size * 1.87)),
    }
    paths = []
    for name, (height, width) in shapes.items():
        field = _field(random, height, width, waves=5)
        if name == "flat":  # one step around the mean: what is left of it is mostly how mean and std were rounded
            pixels = 255 * numpy.array(MEAN) + 1 * field
        elif name == "weave":  # detail about the mean colour: what is left of it is mostly how it was resampled
            pixels = 255 * numpy.array(MEAN) + 60 * random.uniform(-1, 1, field.shape)
        else:
            pixels = 127.5 + 120 * field
        path = folder / f"{name}.png"
        Image.fromarray(numpy.clip(pixels.round(), 0, 255).astype(numpy.uint8)).save(path, optimize=True)
        paths.append(path)
    return paths
