"""Specifications: normal forms, defaults, copies, output sizes and warnings."""

import pickle

import numpy as np
import pytest
from streampool_golden import DType, PoolJob, PoolSpec, SpecError, pool
from streampool_golden.networks import networks


def test_fields_read_back_in_their_normal_form():
    spec = PoolSpec("avg", 3, padding=1, dtype=np.int16)
    assert spec.kernel == spec.stride == (3, 3)
    assert spec.padding == ((1, 1), (1, 1))
    assert spec.dilation == (1, 1)
    assert spec.count_include_pad is True
    assert (spec.dtype, spec.out_dtype, spec.ndim) == ("int16", None, 2)
    assert spec == PoolSpec("avg", [3, np.int64(3)], (3, 3), ((1, 1), (1, 1)), dtype="int16")


@pytest.mark.parametrize(
    ("padding", "ndim", "normal"),
    [
        (2, None, ((2, 2), (2, 2))),
        (-1, 1, ((-1, -1),)),
        ((1, 2), None, ((1, 1), (2, 2))),
        (((1, 0), (0, 2)), None, ((1, 0), (0, 2))),
        (((1, 0),), None, ((1, 0),)),
        ([[1, 0]], 1, ((1, 0),)),
        (np.array([[1, 0], [0, -1]]), None, ((1, 0), (0, -1))),
        ("valid", None, "valid"),
        ("same", None, "same"),
        ("same_lower", 1, "same_lower"),
    ],
)
def test_paddings(padding, ndim, normal):
    spec = PoolSpec("max", 3, padding=padding, ndim=ndim)
    assert spec.padding == normal
    assert spec.ndim == (ndim or (2 if isinstance(normal, str) else len(normal)))


@pytest.mark.parametrize("name", ["kernel", "stride", "dilation"])
def test_a_tuple_fixes_the_number_of_axes(name):
    fields = {"kernel": 3, name: (2,)}
    assert PoolSpec("max", **fields).ndim == 1


def test_count_include_pad_defaults_by_padding_and_an_explicit_value_wins():
    assert PoolSpec("avg", 3, padding="valid").count_include_pad
    assert not PoolSpec("avg", 3, padding="same").count_include_pad
    assert PoolSpec("avg", 3, padding="same_lower", count_include_pad=True).count_include_pad
    # Three taps of 9, one on padding: 18 / 3 and 18 / 2.
    x = np.full(5, 9, np.int8)
    assert pool(PoolSpec("avg", 3, 1, "same", ndim=1), x).tolist() == [9, 9, 9, 9, 9]
    assert pool(PoolSpec("avg", 3, 1, "same", count_include_pad=True, ndim=1), x)[0] == 6


def test_replace_lets_defaults_follow():
    spec = PoolSpec("max", 2)
    assert spec.replace(kernel=3).stride == (3, 3)
    assert spec.replace(kernel=3, stride=2).stride == (2, 2)
    assert PoolSpec("max", 3, 2).replace(kernel=4).stride == (2, 2)
    assert PoolSpec("avg", 3, padding=1).replace(padding="same").count_include_pad is False
    assert PoolJob(spec.replace(dtype="uint8"), (1, 2, 2)).output.name == "uint8"
    assert PoolSpec("avg", 3, count_include_pad=False).replace(padding=1).count_include_pad is False


def test_equal_specifications_hash_and_pickle_alike():
    spec, same = PoolSpec("max", 3, 2, 1), PoolSpec("max", (3, 3), [2, 2], ((1, 1), (1, 1)))
    assert len({spec, same}) == 1
    assert pickle.loads(pickle.dumps(spec)) == spec
    with pytest.raises(AttributeError):
        spec.kernel = (2, 2)  # pyright: ignore[reportAttributeAccessIssue]


def test_json_may_leave_out_what_has_a_default():
    spec = PoolSpec.from_json('{"op": "avg", "kernel": [3, 2], "clamp": [0, 6]}')
    assert spec == PoolSpec("avg", (3, 2), clamp=(0, 6))


@pytest.mark.parametrize("layer", networks(), ids=lambda layer: layer.name)
def test_the_layers_of_real_networks(layer):
    job = PoolJob(layer.spec, layer.shape)
    assert job.out_shape == layer.out_shape
    assert job.cycles_bound == job.limit_cycles == max(job.beats_in, job.beats_out)


def test_the_list_of_networks_is_whole():
    assert len(networks()) >= 76


@pytest.mark.parametrize(
    ("fields", "length", "outputs"),
    [
        # torch: the window that would begin in the padding after is dropped.
        ({"kernel": 1, "stride": 2, "ceil_mode": True}, 2, 1),
        ({"kernel": 3, "stride": 2, "padding": 1, "ceil_mode": True}, 4, 3),
        ({"kernel": 2, "stride": 1, "padding": 1, "ceil_mode": True}, 2, 3),
        # A kernel larger than the padded input, legal with ceil_mode alone.
        ({"kernel": 5, "ceil_mode": True}, 2, 1),
        # TensorFlow.
        ({"kernel": 3, "stride": 2, "padding": "same"}, 5, 3),
        ({"kernel": 3, "stride": 2, "padding": "valid"}, 6, 2),
        ({"kernel": 1, "stride": 4, "padding": "same"}, 7, 2),
        # A crop.
        ({"kernel": 1, "stride": 4, "padding": -1}, 7, 2),
        ({"kernel": 2, "stride": 1, "padding": ((-2, 0),)}, 7, 4),
    ],
)
def test_output_lengths(fields, length, outputs):
    assert PoolJob(PoolSpec("max", ndim=1, **fields), (1, length)).out_size == (outputs,)


def test_huge_values_are_answered_at_once():
    huge = 10**9
    assert PoolJob(PoolSpec("max", huge, ceil_mode=True, ndim=1), (1, 224)).out_size == (1,)
    spec = PoolSpec("sum", huge, huge, huge // 2, dtype="int32", ndim=1)
    with pytest.warns(UserWarning, match="larger than the input"):
        assert pool(spec, np.full(224, -(2**31))).tolist() == [-224 * 2**31]
    assert PoolJob(PoolSpec("max", 1, huge), (1, 5, 5)).out_size == (1, 1)
    for refused in [
        PoolSpec("max", huge),
        PoolSpec("max", huge, 1, huge - 1),
        PoolSpec("max", 2, 1, "same", dilation=huge),
    ]:
        with pytest.raises(SpecError):
            PoolJob(refused, (1, 224, 224))


@pytest.mark.parametrize(
    ("fields", "size", "said"),
    [
        ({"kernel": 2}, (4, 4), []),
        ({"kernel": 3, "stride": 2, "padding": 1}, (112, 112), []),
        ({"kernel": (1, 1), "stride": (2, 2)}, (4, 4), ["no window reads 75.0% of the inputs"]),
        ({"kernel": 3, "stride": 4, "padding": "same"}, (8, 3), ["no window reads 25.0%"]),
        ({"kernel": 3, "padding": 1}, (2, 2), ["larger than the input's 2 rows", "2 columns"]),
        (
            {"kernel": 2, "dilation": 3, "padding": 2},
            (3, 9),
            ["dilated to 4", "1 of 3 rows", "1 of 9 columns"],
        ),
        ({"kernel": 3, "stride": 2}, (6, 5), ["1 of 6 rows"]),
        ({"kernel": 3, "stride": 2, "ceil_mode": True}, (6, 5), []),
        ({"kernel": 2, "stride": 3}, (7, 5), ["1 of 7 rows", "no window reads 54.3% of"]),
        # Columns cropped off on purpose are none that a window fails to reach.
        ({"kernel": 2, "padding": ((0, 0), (0, -1))}, (2, 5), []),
        ({"kernel": 2, "padding": ((0, 0), (-1, 0))}, (2, 6), ["1 of 6 columns"]),
    ],
)
def test_warnings(fields, size, said):
    spec = PoolSpec("max", **fields)
    found = PoolJob(spec, (1, *size)).warnings
    assert len(found) == len(said)
    for text, part in zip(found, said, strict=True):
        assert part in text
    assert PoolJob(spec, (3, *size)).warnings == found


def test_pool_warns_its_caller():
    spec = PoolSpec("max", 3, 2)
    for call in (lambda x: pool(spec, x), lambda x: __import__("streampool_golden").pool(spec, x)):
        with pytest.warns(UserWarning, match="1 of 6 rows") as caught:
            call(np.zeros((6, 5), np.int8))
        assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("name", "bits", "low", "high", "container"),
    [
        ("int2", 2, -2, 1, "int8"),
        ("uint1", 1, 0, 1, "uint8"),
        ("int8", 8, -128, 127, "int8"),
        ("uint9", 9, 0, 511, "uint16"),
        ("int17", 17, -65536, 65535, "int32"),
        ("uint32", 32, 0, 2**32 - 1, "uint32"),
        ("int36", 36, -(2**35), 2**35 - 1, "int64"),
    ],
)
def test_dtypes(name, bits, low, high, container):
    dtype = DType.of(name)
    assert (dtype.name, dtype.bits, dtype.low, dtype.high) == (name, bits, low, high)
    assert dtype.signed == (low < 0)
    assert dtype.numpy == np.dtype(container)
    assert DType.of(dtype) == dtype
    assert DType.holding(low, high) == dtype


def test_the_narrowest_type_of_all():
    assert DType.holding(0, 0).name == "uint1"
    assert DType.holding(-1, 0).name == "int2"
