"""The table of ops: one record each, alike ones together. Where an op has no rule, only the other facts are known."""

from __future__ import annotations

import math

from pruning.graph.ops.record import Op, alike
from pruning.graph.rules.constants import made
from pruning.graph.rules.contractions import bilinear, convolution, linear, transposed_convolution
from pruning.graph.rules.cuts import narrow, pad, select, slice_, split, unbind
from pruning.graph.rules.deformable import deformable_convolution
from pruning.graph.rules.elementwise import glu, nary, prelu, unary
from pruning.graph.rules.joins import broadcast, cat, dstack, hstack, pad_sequence, stack, vstack
from pruning.graph.rules.moves import (
    as_complex,
    as_real,
    channel_shuffle,
    col2im,
    diagonal,
    expand,
    im2col,
    index,
    index_select,
    move,
    pixel_shuffle,
    reshape,
    roll,
)
from pruning.graph.rules.norms import (
    along_dims,
    batch_norm,
    cosine,
    embedding,
    embedding_bag,
    extreme,
    fourier,
    group_norm,
    layer_norm,
    mean,
    regions,
    spatial,
    total,
    unpool,
)
from pruning.graph.rules.packed import pack, unpack
from pruning.graph.rules.places import gather, index_add, index_fill, scatter
from pruning.graph.rules.products import (
    addmm,
    attention,
    baddbmm,
    distances,
    dot,
    einsum,
    matmul,
    mm,
    mv,
    outer,
    tensordot,
)
from pruning.graph.rules.recurrent import gru, gru_cell, lstm, lstm_cell, rnn, rnn_cell
from pruning.graph.rules.weights import weight_norm

LENGTHS = "the lengths of packed sequences"

LAYERS = (
    Op(name="linear", rule=linear, asked_without_labels=True, layer="linear", consumer=True, sizeless="always",
       ends_search=True, on_cut="as it is"),
    *alike("conv1d conv2d conv3d",
           Op(rule=convolution, layer="plain convolution", consumer=True, sizeless="always", sizes=True,
              ends_search=True)),
    *alike("conv_transpose1d conv_transpose2d conv_transpose3d",
           Op(rule=transposed_convolution, layer="transposed convolution", consumer=True, sizes=True,
              ends_search=True)),
    Op(name="convolution", rule=convolution, layer="either convolution", consumer=True, ends_search=True),
    Op(name="torchvision.deform_conv2d", rule=deformable_convolution, consumer=True, sizes=True, ends_search=True),
    Op(name="bilinear", rule=bilinear, consumer=True),
    Op(name="embedding", rule=embedding, asked_without_labels=True),
    Op(name="embedding_bag", rule=embedding_bag, asked_without_labels=True),
    Op(name="lstm", rule=lstm, consumer=True, unchecked=True),
    Op(name="gru", rule=gru, consumer=True),
    *alike("rnn_tanh rnn_relu", Op(rule=rnn, consumer=True)),
    Op(name="lstm_cell", rule=lstm_cell, consumer=True),
    Op(name="gru_cell", rule=gru_cell, consumer=True),
    *alike("rnn_tanh_cell rnn_relu_cell", Op(rule=rnn_cell, consumer=True)),
    Op(name="pruning.packed_lstm", rule=lstm, consumer=True, unchecked=True, holds=LENGTHS),
    Op(name="pruning.packed_gru", rule=gru, consumer=True, unchecked=True, holds=LENGTHS),
    *alike("pruning.packed_rnn_tanh pruning.packed_rnn_relu",
           Op(rule=rnn, consumer=True, unchecked=True, holds=LENGTHS)),
    *alike("_weight_norm _weight_norm_interface", Op(rule=weight_norm)),
)  # fmt: skip

PRODUCTS = (
    Op(name="matmul", rule=matmul, consumer=True, ends_search=True, on_cut="as it is"),
    Op(name="bmm", rule=mm, consumer=True, ends_search=True, on_cut="as it is"),
    Op(name="mm", rule=mm, consumer=True),
    Op(name="mv", rule=mv, consumer=True),
    *alike("dot vdot", Op(rule=dot, consumer=True)),
    Op(name="outer", rule=outer, consumer=True),
    Op(name="tensordot", rule=tensordot, consumer=True),
    Op(name="cdist", rule=distances, consumer=True),
    Op(name="addmm", rule=addmm, consumer=True),
    Op(name="baddbmm", rule=baddbmm, consumer=True),
    Op(name="einsum", rule=einsum, consumer=True, ends_search=True),
    Op(name="scaled_dot_product_attention", rule=attention, consumer=True, on_cut="as it is"),
    *alike("cosine_similarity linalg_vecdot", Op(rule=cosine, consumer=True)),
)

NORMS = (
    Op(name="batch_norm", rule=batch_norm, batch_norm=True, sizeless="always"),
    Op(name="instance_norm", rule=batch_norm, sizeless="always"),
    Op(name="_native_batch_norm_legit_no_training", rule=batch_norm, batch_norm=True),
    *alike("layer_norm rms_norm", Op(rule=layer_norm, normalises=True, sizes=True)),
    Op(name="group_norm", rule=group_norm, normalises=True, sizes=True),
)

REDUCTIONS = (
    Op(name="sum", rule=total, consumer=True, on_cut="as it is"),
    Op(name="nansum", rule=total, consumer=True),
    *alike("norm linalg_vector_norm", Op(rule=total, consumer=True, norm=True)),
    Op(name="mean", rule=mean, sizeless="always", on_cut="as it is"),
    *alike("var std var_mean std_mean", Op(rule=mean)),
    Op(name="amax", rule=extreme, on_cut="as it is"),
    *alike("amin aminmax max min median nanmedian mode kthvalue prod logsumexp argmax argmin any all count_nonzero",
           Op(rule=extreme)),
    Op(name="softmax", rule=along_dims, sizeless="always", on_cut="as it is"),
    Op(name="log_softmax", rule=along_dims, sizeless="always"),
    *alike("_softmax cumsum cumprod logcumsumexp cummax cummin sort argsort topk fft_fftshift fft_ifftshift",
           Op(rule=along_dims)),
    *alike("fft_fft fft_ifft fft_rfft fft_irfft fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2 fft_fftn fft_ifftn fft_rfftn "
           "fft_irfftn fft_hfft fft_ihfft", Op(rule=fourier)),
)  # fmt: skip

MAPS = (
    *alike("max_pool2d avg_pool2d adaptive_avg_pool2d adaptive_max_pool2d upsample_nearest2d upsample_bilinear2d",
           Op(rule=spatial, sizeless="always", on_cut="as it is")),
    *alike("max_pool1d max_pool3d avg_pool1d avg_pool3d adaptive_avg_pool1d adaptive_max_pool1d upsample_bicubic2d",
           Op(rule=spatial, on_cut="as it is")),
    Op(name="max_pool2d_with_indices", rule=spatial, sizeless="always"),
    *alike("max_pool1d_with_indices max_pool3d_with_indices adaptive_avg_pool3d adaptive_max_pool3d "
           "_adaptive_avg_pool2d fractional_max_pool2d", Op(rule=spatial)),
    *alike("upsample_nearest1d upsample_nearest3d upsample_linear1d upsample_trilinear3d _upsample_nearest_exact2d "
           "_upsample_bilinear2d_aa _upsample_bicubic2d_aa grid_sampler grid_sampler_2d grid_sampler_3d",
           Op(rule=spatial)),
    *alike("reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d",
           Op(rule=spatial)),
    *alike("max_unpool2d max_unpool3d", Op(rule=unpool)),
    *alike("torchvision.roi_align torchvision.roi_pool", Op(rule=regions)),
)  # fmt: skip

RESHAPES = (
    *alike("view reshape",
           Op(rule=reshape, widens_labels=True, reshapes=True, sizes=True, sized_freely=True, on_cut="resized",
              same_numbers=True, leads_back=True, shares_memory=True, cheap=True)),
    Op(name="_unsafe_view", rule=reshape, widens_labels=True, reshapes=True, sizes=True, sized_freely=True,
       on_cut="resized"),
    Op(name="unflatten", rule=reshape, widens_labels=True, reshapes=True, sizes=True, sized_freely=True,
       on_cut="resized", shares_memory=True),
    Op(name="flatten", rule=reshape, widens_labels=True, reshapes=True, sizeless="always", on_cut="as it is",
       shares_memory=True, cheap=True),
    *alike("view_as reshape_as view_copy _reshape_copy", Op(rule=reshape, reshapes=True, sized_freely=True)),
)  # fmt: skip

MOVES = (
    *alike("permute transpose", Op(rule=move, shares_memory=True, cheap=True, on_cut="as it is")),
    Op(name="t", rule=move, shares_memory=True, on_cut="as it is"),
    *alike("squeeze unsqueeze",
           Op(rule=move, same_numbers=True, leads_back=True, shares_memory=True, cheap=True, on_cut="as it is")),
    *alike("squeeze_ unsqueeze_", Op(rule=move, leads_back=True)),
    *alike("transpose_ t_ permute_copy squeeze_copy expand_copy numpy_T mT adjoint swapaxes movedim moveaxis rot90 "
           "unfold", Op(rule=move)),
    Op(name="diagonal", rule=diagonal),
    *alike("flip pixel_unshuffle", Op(rule=move, widens_labels=True)),
    Op(name="repeat_interleave", rule=move, widens_labels=True, sizes=True),
    Op(name="expand", rule=expand, asked_without_labels=True, sizes=True, sized_freely=True, on_cut="resized",
       same_numbers=True, leads_back=True, shares_memory=True),
    Op(name="expand_as", rule=expand, asked_without_labels=True, same_numbers=True, leads_back=True),
    Op(name="broadcast_to", rule=expand, asked_without_labels=True),
    Op(name="repeat", rule=expand, asked_without_labels=True, widens_labels=True, sizes=True, sized_freely=True),
    Op(name="tile", rule=expand, asked_without_labels=True, widens_labels=True, sizes=True),
    *alike("split split_with_sizes", Op(rule=split, sizes=True, cuts="splits", shares_memory=True, dim_place=2)),
    Op(name="chunk", rule=split, sizes=True, shares_memory=True, dim_place=2),
    *alike("tensor_split unsafe_chunk unsafe_split", Op(rule=split)),
    Op(name="unbind", rule=unbind, shares_memory=True, dim_place=1),
    Op(name="slice", rule=slice_, sizes=True, cuts="slices", shares_memory=True, cheap=True, dim_place=1),
    Op(name="narrow", rule=narrow, sizes=True, cuts="slices", shares_memory=True, dim_place=1),
    Op(name="select", rule=select, shares_memory=True, cheap=True, dim_place=1),
    Op(name="getitem", leads_back=True, sizeless="always", shares_memory=True, cheap=True),
    Op(name="index", rule=index, widens_labels=True),
    Op(name="index_select", rule=index_select, widens_labels=True),
    Op(name="gather", rule=gather),
    *alike("scatter scatter_ scatter_add scatter_add_ scatter_reduce scatter_reduce_", Op(rule=scatter)),
    *alike("index_add index_add_ index_copy index_copy_ index_reduce index_reduce_", Op(rule=index_add)),
    *alike("index_fill index_fill_", Op(rule=index_fill)),
    Op(name="roll", rule=roll, widens_labels=True),
    Op(name="cat", rule=cat, widens_labels=True, sizeless="always", on_cut="as it is"),
    *alike("concat concatenate", Op(rule=cat)),
    Op(name="stack", rule=stack, widens_labels=True),
    Op(name="hstack", rule=hstack),
    Op(name="vstack", rule=vstack),
    Op(name="dstack", rule=dstack),
    Op(name="pad_sequence", rule=pad_sequence),
    Op(name="broadcast_tensors", rule=broadcast),
    Op(name="pixel_shuffle", rule=pixel_shuffle, widens_labels=True, sizes=True),
    *alike("channel_shuffle native_channel_shuffle", Op(rule=channel_shuffle)),
    Op(name="pruning.pack_padded", rule=pack, unchecked=True, holds=LENGTHS),
    Op(name="pruning.pad_packed", rule=unpack, unchecked=True, holds=LENGTHS),
    Op(name="im2col", rule=im2col),
    Op(name="col2im", rule=col2im),
    Op(name="view_as_complex", rule=as_complex),
    Op(name="view_as_real", rule=as_real),
    Op(name="pad", rule=pad, sizes=True, cuts="pads", cheap=True),
    Op(name="constant_pad_nd", rule=pad, sizes=True, cuts="pads"),
)  # fmt: skip

ACTIVATIONS = (
    *alike("relu relu_",
           Op(rule=unary, sizeless="always", on_cut="as it is", overwrites=True, cuts_off=(0.0, math.inf))),
    *alike("silu hardswish silu_ hardswish_", Op(rule=unary, sizeless="always", on_cut="as it is", overwrites=True)),
    Op(name="relu6", rule=unary, sizeless="always", on_cut="as it is", cuts_off=(0.0, 6.0)),
    *alike("hardtanh hardtanh_", Op(rule=unary, sizeless="always", on_cut="as it is", cuts_off=(-1.0, 1.0))),
    *alike("gelu sigmoid sigmoid_ tanh hardsigmoid hardsigmoid_ elu leaky_relu leaky_relu_",
           Op(rule=unary, sizeless="always", on_cut="as it is")),
    *alike("tanh_ elu_ softplus mish mish_", Op(rule=unary, on_cut="as it is")),
    Op(name="relu6_", rule=unary, cuts_off=(0.0, 6.0)),
    *alike("gelu_ celu celu_ selu selu_ log_sigmoid softshrink hardshrink threshold threshold_ rrelu logit",
           Op(rule=unary)),
    Op(name="prelu", rule=prelu, on_cut="as it is"),
    Op(name="_prelu_kernel", rule=nary),
    Op(name="glu", rule=glu),
    Op(name="dropout", rule=unary, dropout=True, sizeless="always", shares_memory=True, cheap=True),
    *alike("dropout_ feature_dropout", Op(rule=unary, dropout=True, sizeless="always")),
    *alike("feature_dropout_ alpha_dropout alpha_dropout_", Op(rule=unary, dropout=True)),
    *alike("feature_alpha_dropout native_dropout", Op(rule=unary)),
)  # fmt: skip

ARITHMETIC = (
    *alike("add add_", Op(rule=nary, leads_back=True, sizeless="between tensors", on_cut="as it is")),
    *alike("sub sub_", Op(rule=nary, arithmetic="subtracts", on_cut="as it is")),
    Op(name="rsub", rule=nary, arithmetic="subtracts"),
    *alike("mul mul_",
           Op(rule=nary, arithmetic="multiplies", leads_back=True, sizeless="between tensors", on_cut="as it is")),
    *alike("div div_", Op(rule=nary, arithmetic="divides", leads_back=True, on_cut="as it is")),
    *alike("true_divide true_divide_", Op(rule=nary, arithmetic="divides")),
    Op(name="pow", rule=nary, arithmetic="raises", leads_back=True, on_cut="as it is"),
    Op(name="pow_", rule=nary, arithmetic="raises", leads_back=True),
    Op(name="rsqrt", rule=unary, arithmetic="inverts", leads_back=True, on_cut="as it is"),
    *alike("rsqrt_ reciprocal reciprocal_", Op(rule=unary, arithmetic="inverts", leads_back=True)),
    Op(name="sqrt", rule=unary, leads_back=True, on_cut="as it is"),
    Op(name="sqrt_", rule=unary, leads_back=True),
    Op(name="clamp", rule=nary, leads_back=True, on_cut="as it is"),
    Op(name="clamp_min", rule=nary, same_numbers=True, leads_back=True, on_cut="as it is"),
    *alike("clamp_ clamp_min_", Op(rule=nary, leads_back=True)),
    *alike("clamp_max maximum minimum", Op(rule=nary, on_cut="as it is")),
    *alike("exp log abs neg square", Op(rule=unary, on_cut="as it is")),
    *alike("exp_ exp2 expm1 log1p log2 log10 abs_ neg_ sign sgn sin cos tan asin acos atan sinh cosh asinh acosh atanh "
           "sinc erf erfc erfinv lgamma digamma angle real imag conj conj_physical _conj resolve_conj positive square_ "
           "round floor ceil trunc frac tril triu nan_to_num isnan isinf logical_not bitwise_not", Op(rule=unary)),
    *alike("addcmul addcmul_ addcdiv lerp lerp_ complex polar atan2 hypot heaviside fmax fmin remainder fmod xlogy "
           "logaddexp logaddexp2 copysign floor_divide where masked_fill masked_fill_ copy_ eq ne gt ge lt le "
           "logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor clip", Op(rule=nary)),
)  # fmt: skip

CONSTANTS = (
    *alike("zeros ones full new_zeros new_ones new_full",
           Op(rule=made, asked_without_labels=True, sizes=True, sized_freely=True)),
    Op(name="empty", rule=made, asked_without_labels=True, sizes=True),
    Op(name="new_empty", rule=made, asked_without_labels=True),
    *alike("rand randn", Op(rule=made, asked_without_labels=True, random=True, sizes=True)),
    *alike("rand_like randn_like bernoulli bernoulli_", Op(rule=unary, random=True)),
    *alike("normal normal_ uniform_ exponential_", Op(random=True)),
    *alike("zeros_like ones_like full_like empty_like fill_ zero_", Op(rule=unary)),
    *alike("arange affine_grid_generator", Op(sizes=True)),
)  # fmt: skip

COPIES = (
    Op(name="contiguous", rule=unary, idle=True, same_numbers=True, leads_back=True, sizeless="always",
       on_cut="as it is", cheap=True),
    *alike("alias detach", Op(rule=unary, idle=True, shares_memory=True, cheap=True, on_cut="as it is")),
    *alike("detach_ alias_copy detach_copy", Op(rule=unary, idle=True)),
    Op(name="clone", rule=unary, same_numbers=True, cheap=True, on_cut="as it is"),
    Op(name="to", rule=unary, same_numbers=True, leads_back=True, on_cut="as it is"),
    *alike("_to_copy type_as", Op(rule=unary, leads_back=True)),
    *alike("lift_fresh_copy requires_grad_", Op(rule=unary)),
    *alike("_assert_async _assert_scalar _assert_tensor_metadata sym_size sym_numel sym_stride sym_storage_offset "
           "sym_is_contiguous sym_constrain_range sym_constrain_range_for_size", Op(asserts=True, idle=True)),
)  # fmt: skip

ROWS: tuple[Op, ...] = (
    *LAYERS, *PRODUCTS, *NORMS, *REDUCTIONS, *MAPS, *RESHAPES, *MOVES, *ACTIVATIONS, *ARITHMETIC, *CONSTANTS,
    *COPIES,
)  # fmt: skip
