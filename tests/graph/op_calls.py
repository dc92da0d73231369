"""A call of every op in the table on the channels of a convolution, written for any number of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
import torchvision  # noqa: F401  (registers its ops)
from torch import Tensor

aten = torch.ops.aten


@dataclass(frozen=True, kw_only=True)
class Sample:
    """How an op is called."""

    op: Callable[..., Any]
    run: Callable[..., Any]
    """Gets the op, N × 8 × 6 × 6 numbers and the weights, and gives what the op gives."""
    weights: tuple[tuple[int, ...], ...] = ()
    """Shapes of parameters that it is called with."""
    locked: str = ""
    """Words of the reason why the channels that reach it stay; '' where they may go."""


CALLS: dict[str, Sample] = {}


def packet(name: str) -> Any:
    """The op of a short name: ATen's, or another library's with its namespace."""
    library, _, own = name.rpartition(".")
    return getattr(getattr(torch.ops, library or "aten"), own)


def add(names: str | Iterable[str], run: Callable[..., Any], *weights: tuple[int, ...], locked: str = "") -> None:
    """`run(op, x, *weights)` for each of these ops."""
    for name in names.split() if isinstance(names, str) else names:
        op = operator.getitem if name == "getitem" else packet(name)
        assert name not in CALLS, name
        CALLS[name] = Sample(op=op, run=run, weights=weights, locked=locked)


def means(x: Tensor) -> Tensor:
    """N × 8."""
    return x.mean((2, 3))


def rows(x: Tensor) -> Tensor:
    """N × 8 × 36."""
    return x.flatten(2)


def volume(x: Tensor) -> Tensor:
    """N × 8 × 2 × 6 × 6."""
    return torch.stack((x, x), 2)


def words(x: Tensor) -> Tensor:
    """N × 36 × 8."""
    return rows(x).transpose(1, 2)


def state(x: Tensor, hidden: Tensor) -> Tensor:
    """What a recurrent layer starts from."""
    return x.new_zeros(1, len(x), hidden.shape[1])


def share(x: Tensor) -> Tensor:
    """Between 0 and 1."""
    return x.sigmoid()


def below(x: Tensor) -> Tensor:
    """Between 1 and 2."""
    return x.sigmoid() + 1


# layers
add("linear", lambda op, x, w, b: op(means(x), w, b), (5, 8), (5,))
add("conv1d", lambda op, x, w: op(rows(x), w), (5, 8, 3))
add("conv2d", lambda op, x, w: op(x, w), (5, 8, 3, 3))
add("conv3d", lambda op, x, w: op(volume(x), w), (5, 8, 1, 3, 3))
add("conv_transpose1d", lambda op, x, w: op(rows(x), w), (8, 5, 3))
add("conv_transpose2d", lambda op, x, w: op(x, w), (8, 5, 3, 3))
add("conv_transpose3d", lambda op, x, w: op(volume(x), w), (8, 5, 1, 3, 3))
add("convolution", lambda op, x, w: op(x, w, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1), (5, 8, 3, 3))
add("torchvision.deform_conv2d",
    lambda op, x, w: op(x, w, x.new_full((len(x), 18, 6, 6), 0.3), x.new_full((len(x), 9, 6, 6), 0.5),
                        w.new_zeros(w.shape[0]), 1, 1, 1, 1, 1, 1, 1, 1, True), (5, 8, 3, 3))  # fmt: skip
add("embedding_bag", lambda op, x, w: op(w, (means(x).sum(1) * 0).long(), torch.arange(len(x)))[0], (4, 6))
add("bilinear", lambda op, x, w: op(means(x), means(x), w), (5, 8, 8))
add("embedding", lambda op, x, w: op(w, (x[:, 0] * 0).long())[..., 0] + x[:, 0], (4, 6), locked="by its number")
add("lstm", lambda op, x, *w: op(words(x), [state(x, w[1])] * 2, w, False, 1, 0.0, False, False, True)[0],
    (20, 8), (20, 5))  # fmt: skip
for _name, _gates in (("gru", 3), ("rnn_tanh", 1), ("rnn_relu", 1)):
    add(_name, lambda op, x, *w: op(words(x), state(x, w[1]), w, False, 1, 0.0, False, False, True)[0],
        (5 * _gates, 8), (5 * _gates, 5))  # fmt: skip
add("lstm_cell", lambda op, x, *w: op(means(x), [state(x, w[1])[0]] * 2, *w)[0], (20, 8), (20, 5), (20,), (20,))
for _name, _gates in (("gru_cell", 3), ("rnn_tanh_cell", 1), ("rnn_relu_cell", 1)):
    add(_name, lambda op, x, *w: op(means(x), state(x, w[1])[0], *w), (5 * _gates, 8), (5 * _gates, 5))


def first_state(x: Tensor, hidden: Tensor) -> Tensor:
    """What six packed sequences start from."""
    return x.new_zeros(1, 6, hidden.shape[1])


add("pruning.packed_lstm", lambda op, x, *w: op(words(x)[0], [6] * 6, [first_state(x, w[1])] * 2, w, False, 1, 0.0,
                                                False, False)[0], (20, 8), (20, 5))  # fmt: skip
for _name, _gates in (("pruning.packed_gru", 3), ("pruning.packed_rnn_tanh", 1), ("pruning.packed_rnn_relu", 1)):
    add(_name, lambda op, x, *w: op(words(x)[0], [6] * 6, [first_state(x, w[1])], w, False, 1, 0.0, False, False)[0],
        (5 * _gates, 8), (5 * _gates, 5))  # fmt: skip
add("_weight_norm", lambda op, x, v, g: torch.conv2d(x, op(v, g, 0)), (5, 8, 3, 3), (5, 1, 1, 1))
add("_weight_norm_interface", lambda op, x, v, g: torch.conv2d(x, op(v, g, 0)[0]), (5, 8, 3, 3), (5, 1, 1, 1))

# products
add("matmul", lambda op, x: op(words(x), rows(x)))
add("bmm", lambda op, x: op(words(x), rows(x)))
add("mm", lambda op, x: op(means(x), means(x).t()))
add("mv", lambda op, x, w: op(means(x), w), (8,))
add("dot vdot", lambda op, x: op(means(x)[0], means(x)[0]))
add("addmm", lambda op, x, w, b: op(b, means(x), w), (8, 5), (5,))
add("baddbmm", lambda op, x: op(x.new_zeros(1, 1, 1), words(x), rows(x)))
add("einsum", lambda op, x: op("nchw,nchw->nhw", [x, x]))
add("scaled_dot_product_attention", lambda op, x: op(x, x, x))
add("outer", lambda op, x: op(means(x)[0], means(x)[1]))
add("tensordot", lambda op, x: op(x, x, [2, 3], [2, 3]))
add("cdist", lambda op, x: op(words(x), words(x * 0.5)))
add("cosine_similarity", lambda op, x: op(x, x * 0.5, 1))
add("linalg_vecdot", lambda op, x: op(x, x * 0.5, dim=1))

# norms
add("batch_norm", lambda op, x, w, b: op(x, w, b, b * 0, w * 0 + 1, False, 0.1, 1e-5, False), (8,), (8,))
add("instance_norm", lambda op, x: op(x, None, None, None, None, True, 0.1, 1e-5, False))
add("_native_batch_norm_legit_no_training", lambda op, x, w: op(x, w, w, w * 0, w * 0 + 1, 0.1, 1e-5)[0], (8,))
add("layer_norm", lambda op, x: op(x.transpose(1, 3), [x.shape[1]]))
add("rms_norm", lambda op, x: op(x.transpose(1, 3), [x.shape[1]]))
add("group_norm", lambda op, x, w: op(x, 1, w), (8,))

# reductions
add("sum nansum", lambda op, x: op(x, [1]))
add("norm", lambda op, x: op(x, 2, [1]))
add("linalg_vector_norm", lambda op, x: op(x, 2, [1]))
add("mean var std", lambda op, x: x - op(x, [1], keepdim=True))
add("var_mean std_mean", lambda op, x: x - op(x, [1], keepdim=True)[1])
add("amax amin logsumexp", lambda op, x: op(x, [2]))
add("aminmax", lambda op, x: op(x, dim=2))
add("max min median nanmedian mode prod argmax argmin any all count_nonzero", lambda op, x: op(x, 2))
add("kthvalue", lambda op, x: op(x, 3, 2))
add("softmax log_softmax cumsum cumprod logcumsumexp cummax cummin sort argsort", lambda op, x: op(x, 2))
add("fft_fftshift fft_ifftshift", lambda op, x: op(x, [2]))
add("_softmax", lambda op, x: op(x, 2, False))
add("topk", lambda op, x: op(x, 3, 2))
add("fft_fft fft_ifft fft_rfft fft_irfft fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2 fft_hfft fft_ihfft",
    lambda op, x: op(x).real)  # fmt: skip
add("fft_fftn fft_ifftn fft_rfftn fft_irfftn", lambda op, x: op(x, None, [2, 3]).real)

# maps
add("max_pool2d avg_pool2d max_pool2d_with_indices", lambda op, x: op(x, [2, 2]))
add("max_pool1d avg_pool1d max_pool1d_with_indices", lambda op, x: op(rows(x), [2]))
add("max_pool3d avg_pool3d max_pool3d_with_indices", lambda op, x: op(volume(x), [2, 2, 2]))
add("adaptive_avg_pool2d adaptive_max_pool2d _adaptive_avg_pool2d", lambda op, x: op(x, [2, 2]))
add("adaptive_avg_pool1d adaptive_max_pool1d", lambda op, x: op(rows(x), [2]))
add("adaptive_avg_pool3d adaptive_max_pool3d", lambda op, x: op(volume(x), [1, 2, 2]))
add("fractional_max_pool2d", lambda op, x: op(x, [2, 2], [3, 3], x.new_ones(len(x), x.shape[1], 2) * 0.5))
add("upsample_nearest2d _upsample_nearest_exact2d", lambda op, x: op(x, [12, 12]))
add("upsample_bilinear2d upsample_bicubic2d _upsample_bilinear2d_aa _upsample_bicubic2d_aa",
    lambda op, x: op(x, [12, 12], False))  # fmt: skip
add("upsample_nearest1d", lambda op, x: op(rows(x), [40]))
add("upsample_linear1d", lambda op, x: op(rows(x), [40], False))
add("upsample_nearest3d", lambda op, x: op(volume(x), [4, 12, 12]))
add("upsample_trilinear3d", lambda op, x: op(volume(x), [4, 12, 12], False))
add("grid_sampler grid_sampler_2d", lambda op, x: op(x, x.new_zeros(len(x), 6, 6, 2), 0, 0, False))
add("grid_sampler_3d", lambda op, x: op(volume(x), x.new_zeros(len(x), 2, 6, 6, 3), 0, 0, False))
add("torchvision.roi_align", lambda op, x: op(x, x.new_ones(3, 5) * 0, 1.0, 2, 2, -1, True))
add("torchvision.roi_pool", lambda op, x: op(x, x.new_ones(3, 5) * 0, 1.0, 2, 2))
add("reflection_pad1d replication_pad1d", lambda op, x: op(rows(x), [1, 1]))
add("reflection_pad2d replication_pad2d", lambda op, x: op(x, [1, 1, 1, 1]))
add("reflection_pad3d replication_pad3d", lambda op, x: op(volume(x), [1] * 6))
add("max_unpool2d", lambda op, x: op(*aten.max_pool2d_with_indices(x, [2, 2]), [6, 6]))
add("max_unpool3d", lambda op, x: op(*aten.max_pool3d_with_indices(volume(x), [1, 2, 2]), [2, 6, 6], [1, 2, 2],
                                     [0, 0, 0]))  # fmt: skip

# reshapes and moves
add("view reshape _unsafe_view view_copy _reshape_copy", lambda op, x: op(x, [len(x), x.shape[1], 36]))
add("flatten", lambda op, x: op(x, 1))
add("unflatten", lambda op, x: op(x, 2, [2, 3]))
add("view_as reshape_as", lambda op, x: op(x, x[:, :, :, :, None]))
add("permute permute_copy", lambda op, x: op(x, [0, 2, 3, 1]))
add("transpose transpose_ swapaxes", lambda op, x: op(x.clone(), 1, 2))
add("t t_ numpy_T", lambda op, x: op(means(x)))
add("mT adjoint", lambda op, x: op(x))
add("movedim moveaxis", lambda op, x: op(x, 1, 3))
add("unsqueeze unsqueeze_", lambda op, x: op(x.clone(), 1))
add("squeeze squeeze_ squeeze_copy", lambda op, x: op(x.clone()[:, :, None], 2))
add("diagonal", lambda op, x: op(x, 0, 2, 3))
add("rot90", lambda op, x: op(x, 1, [2, 3]))
add("unfold", lambda op, x: op(x, 2, 2, 2))
add("flip", lambda op, x: op(x, [1]))
add("pixel_unshuffle", lambda op, x: op(x, 2))
add("repeat_interleave", lambda op, x: op(x, 2, 1))
add("expand expand_copy broadcast_to", lambda op, x: op(x[:, :, None], [len(x), x.shape[1], 3, 6, 6]))
add("expand_as", lambda op, x: op(x[:, :, :1], x))
add("repeat tile", lambda op, x: op(x, [1, 2, 1, 1]))
add("split unsafe_split", lambda op, x: op(x, x.shape[1] // 2, 1)[0])
add("split_with_sizes", lambda op, x: op(x, [x.shape[1] // 2, x.shape[1] // 2], 1)[1])
add("chunk unsafe_chunk tensor_split", lambda op, x: op(x, 2, 1)[1])
add("unbind", lambda op, x: op(x, 2)[3])
add("slice", lambda op, x: op(x, 1, 0, x.shape[1] // 2))
add("narrow", lambda op, x: op(x, 1, 0, x.shape[1] // 2))
add("select", lambda op, x: op(x, 2, 1))
add("getitem", lambda op, x: op(torch.chunk(x, 2, 1), 0))
add("index", lambda op, x: op(x, [None, None, torch.tensor([0, 2])]))
add("index_select", lambda op, x: op(x, 2, torch.tensor([0, 2])))
add("gather", lambda op, x: op(x, 2, x.argsort(2)))
add("scatter scatter_ scatter_add scatter_add_", lambda op, x: op(x.clone(), 2, x.argsort(2), x * 2))
add("scatter_reduce scatter_reduce_", lambda op, x: op(x.clone(), 2, x.argsort(2), x * 2, "amax"))
add("index_add index_add_ index_copy index_copy_", lambda op, x: op(x.clone(), 2, torch.tensor([0, 2]), x[:, :, :2]))
add("index_reduce index_reduce_", lambda op, x: op(x.clone(), 2, torch.tensor([0, 2]), x[:, :, :2], "amax"))
add("index_fill index_fill_", lambda op, x: op(x.clone(), 2, torch.tensor([0, 2]), 1.0))
add("roll", lambda op, x: op(x, [1], [2]))
add("cat concat concatenate hstack vstack dstack stack", lambda op, x: op([x, x * 2]))
add("pad_sequence", lambda op, x: op([words(x)[0], words(x)[1][:20]], True))
add("broadcast_tensors", lambda op, x: op([x, x[:1] * 2]))
add("pixel_shuffle", lambda op, x: op(x, 2).mean((2, 3)))
add("channel_shuffle native_channel_shuffle", lambda op, x: op(x, 2))
add("im2col", lambda op, x: op(x, [2, 2], [1, 1], [0, 0], [1, 1]))
add("pruning.pack_padded", lambda op, x: op(words(x), [len(x)] * 36, True))
add("pruning.pad_packed", lambda op, x: op(words(x)[0], [6] * 6, True, 0.0, 6))
add("col2im", lambda op, x: op(aten.im2col(x, [2, 2], [1, 1], [0, 0], [2, 2]), [6, 6], [2, 2], [1, 1], [0, 0], [2, 2]))
add("view_as_complex", lambda op, x: op(x.unflatten(3, (3, 2))).real)
add("view_as_real", lambda op, x: op(torch.complex(x, x)))
add("pad", lambda op, x: op(x, [1, 1, 1, 1]))
add("constant_pad_nd", lambda op, x: op(x, [1, 1, 1, 1]))

# activations and arithmetic
add("relu silu hardswish relu_ silu_ hardswish_ relu6 hardtanh hardtanh_ gelu sigmoid sigmoid_ tanh hardsigmoid "
    "hardsigmoid_ elu leaky_relu leaky_relu_ tanh_ elu_ softplus mish mish_ relu6_ gelu_ celu celu_ selu selu_ "
    "log_sigmoid softshrink hardshrink rrelu", lambda op, x: op(x.clone()))  # fmt: skip
add("threshold threshold_", lambda op, x: op(x.clone(), 0.1, 20.0))
add("logit", lambda op, x: op(share(x)))
add("prelu", lambda op, x, w: op(x, w), (8,))
add("_prelu_kernel", lambda op, x, w: op(x, w[:, None, None]), (8,))
add("glu", lambda op, x: op(x, 1))
add("dropout dropout_ feature_dropout feature_dropout_ alpha_dropout alpha_dropout_ feature_alpha_dropout "
    "native_dropout", lambda op, x: op(x.clone(), 0.5, False))  # fmt: skip
add("add add_ sub sub_ rsub mul mul_ div div_ true_divide true_divide_ pow pow_ maximum minimum atan2 hypot heaviside "
    "fmax fmin remainder fmod floor_divide xlogy logaddexp logaddexp2 copysign",
    lambda op, x: op(below(x), below(x * 2)))  # fmt: skip
add("eq ne gt ge lt le", lambda op, x: op(x, x * 0.5))
add("logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor", lambda op, x: op(x > 0, x < 1))
add("addcmul addcmul_ addcdiv lerp lerp_", lambda op, x: op(x.clone(), below(x), below(x)))
add("complex", lambda op, x: op(x, x).real)
add("polar", lambda op, x: op(below(x), x).real)
add("real", lambda op, x: op(torch.complex(x, x)))
add("imag", lambda op, x: op(torch.complex(x, x)))
add("where", lambda op, x: op(x > 0, x, x * 2))
add("masked_fill masked_fill_", lambda op, x: op(x.clone(), x > 0, 1.0))
add("copy_", lambda op, x: op(x.clone(), x * 2))
add("rsqrt rsqrt_ reciprocal reciprocal_ sqrt sqrt_ exp exp_ expm1 log log1p log2 abs abs_ neg neg_ square sign sin "
    "cos tan atan erf angle round floor ceil trunc frac tril triu nan_to_num isnan isinf exp2 log10 sgn sinh cosh "
    "asinh acosh sinc erfc lgamma digamma positive square_", lambda op, x: op(below(x)))  # fmt: skip
add("asin acos atanh erfinv", lambda op, x: op(share(x)))
add("conj conj_physical _conj resolve_conj", lambda op, x: op(torch.complex(x, x)).real)
add("clamp clamp_ clamp_min clamp_min_ clamp_max clip", lambda op, x: op(x.clone(), 0.1))
add("logical_not bitwise_not", lambda op, x: op(x > 0))

# constants and copies
add("zeros ones rand randn", lambda op, x: op([x.shape[1]])[:, None, None] * x)
add("empty", lambda op, x: op([x.shape[1]]).fill_(2.0)[:, None, None] * x)
add("full", lambda op, x: op([x.shape[1]], 2.0)[:, None, None] * x)
add("new_zeros new_ones", lambda op, x: op(x, [x.shape[1]])[:, None, None] * x)
add("new_empty", lambda op, x: op(x, [x.shape[1]]).fill_(2.0)[:, None, None] * x)
add("new_full", lambda op, x: op(x, [x.shape[1]], 2.0)[:, None, None] * x)
add("rand_like randn_like zeros_like ones_like", lambda op, x: op(x) * x)
add("empty_like", lambda op, x: op(x).fill_(2.0) * x)
add("full_like fill_", lambda op, x: op(x.clone(), 2.0) * x)
add("zero_", lambda op, x: op(x.clone()) + x)
add("bernoulli bernoulli_", lambda op, x: op(share(x)) * x)
add("normal_ uniform_ exponential_", lambda op, x: op(x.clone()) * x, locked="is not understood")
add("normal", lambda op, x: op(x, 1.0), locked="is not understood")
add("arange", lambda op, x: op(6) + x)
add("affine_grid_generator", lambda op, x: op(means(x)[:, :6].view(-1, 2, 3), [len(x), 1, 4, 4], False),
    locked="is not understood")  # fmt: skip
add("contiguous alias detach detach_ alias_copy detach_copy clone lift_fresh_copy requires_grad_",
    lambda op, x: op(x * 1))  # fmt: skip
add("to _to_copy", lambda op, x: op(x, dtype=torch.float64))
add("type_as", lambda op, x: op(x, x.double()))
add("_assert_async", lambda op, x: (op(x.detach().isfinite().all()), x)[1])
add("_assert_tensor_metadata", lambda op, x: (op(x, dtype=x.dtype), x)[1])
