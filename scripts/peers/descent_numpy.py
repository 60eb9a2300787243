"""Full-batch descent on a product of factors in NumPy, with gradients by hand, for the peers that differ in the loss."""

import numpy as np


def descend(start, step_size, residual, loss, steps, saves):
    """Loss and largest singular value of the last product; the values of all products are found at `saves` times.

    `residual` is the gradient of the loss with respect to the product.
    """
    w = [factor.copy() for factor in start]
    for step in range(1, steps + 1):
        below = [None, w[0]]
        for factor in w[1:]:
            below.append(factor @ below[-1])
        above = residual(below.pop())
        gradients = []
        for factor, under in zip(reversed(w), reversed(below)):
            gradients.append(above if under is None else above @ under.T)
            if under is not None:
                above = factor.T @ above
        for factor, gradient in zip(reversed(w), gradients):
            factor -= step_size * gradient
        if step % (steps // saves) == 0:
            product = np.linalg.multi_dot(w[::-1])
            last = loss(product)
            values = np.linalg.svd(product, compute_uv=False)
    return last, values[0]
