"""Pure functions on images: float tensors (N, C, H, W), RGB, in [0, 1]."""

from facesr_lib.image.blur import gaussian_blur, motion_blur, unsharp
from facesr_lib.image.canny import canny
from facesr_lib.image.check import check_images, check_square
from facesr_lib.image.color import chroma, rgb_to_grey, rgb_to_y, rgb_to_yuv, yuv_to_rgb
from facesr_lib.image.degrade import AveragePooling, Bicubic, BlurResize, Degradation, add_gaussian_noise, add_sensor_noise, jpeg
from facesr_lib.image.edges import dog, edge_residual, laplacian_of_gaussian, sobel
from facesr_lib.image.quantize import quantize, to_float, to_uint8
from facesr_lib.image.resize import average_pool, resize_bicubic, resize_bilinear
from facesr_lib.image.warp import warp
