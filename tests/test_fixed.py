"""Layers without weights against plain loops: their outputs, in both orders, and saved and loaded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convanim.errors import ConvanimError
from convanim.layers import (
    MaxUnpool,
    PixelShuffle,
    PixelUnshuffle,
    parse,
)
from convanim.trace import Trace
from support import definitions
from support.fixed import adaptive_pools, pooled, pools, shuffles, unpools, upsamples
from support.refusals import refused
from support.weighted import thorough

COMBINE = pytest.mark.parametrize("combine", ["max", "mean", "norm"])


def follow(done):
    """The canvas computed from the steps alone, one number at a time."""
    start = {"max": -np.inf}.get(getattr(done.op, "combine", ""), 0)
    canvas = np.full(done.canvas, start, float)
    for step in done:
        for place, value in zip(map(tuple, step.writes), step.written.tolist(), strict=True):
            before = canvas[place]
            canvas[place] = {"set": value, "add": before + value, "max": max(before, value)}[step.mode]
    return canvas


def near(got, wanted, x):
    """Whether two arrays are equal up to rounding, relative to the largest number in them and the input."""
    finite = np.isfinite(wanted)
    scale = np.abs(wanted[finite]).max(initial=np.abs(x).max())
    same = np.allclose(got[finite], wanted[finite], rtol=1e-9, atol=1e-12 * scale)
    return got.shape == wanted.shape and same and np.array_equal(got[~finite], wanted[~finite])


def proved(case, wanted, folder, *, exact):
    """A trace with the wanted output in every form: both orders, its steps, notation and file."""
    done = case.trace()
    assert done.answer.shape == wanted.shape
    assert np.array_equal(done.answer, wanted) if exact else near(done.answer, wanted, case.array)
    assert np.array_equal(done.output, case.given.outward(done.answer))
    gather, scatter = done.by_output(), done.by_input()
    for ordered in (gather, scatter):
        ordered.verify()
        assert np.array_equal(ordered.answer, done.answer)
        assert near(ordered.replay(), wanted, case.array)
    assert parse(str(case.op)) == case.op
    if few_steps(done):
        assert near(follow(gather), wanted, case.array)
        assert near(follow(scatter), scatter.filled().astype(float), case.array)
    path, ordered = folder / "t.json", (gather, scatter)[len(gather) % 2]
    ordered.save(path)
    back = Trace.load(path)
    assert back == ordered
    assert (back.order, back.output.dtype) == (ordered.order, ordered.output.dtype)
    assert np.array_equal(back.output, ordered.output)
    return done


def few_steps(done):
    """Whether there are few enough steps to test all of them; most drawn layers have few."""
    return len(done.by_output()) + len(done.by_input()) <= 100


def folder_of(factory):
    return factory.getbasetemp()


def matrix_of(done):
    """The layer as a matrix (outputs, inputs), from its steps alone."""
    out = np.zeros((done.answer.size, done.x.size))
    for step in done.by_output():
        weights = step.weights / step.divisor
        columns = np.ravel_multi_index(tuple(step.reads.T), done.x.shape)
        np.add.at(out[step.number], columns, weights)
    return out


# Pooling


@COMBINE
@thorough
@given(data=st.data())
def test_poolings(tmp_path_factory, combine, data):
    case = data.draw(pools(combine))
    wanted = pooled(case)
    if combine == "mean" and np.isnan(wanted).any():
        assert "padding" in refused(case.trace, "only padding").hint
        return
    if combine == "max":
        wanted, places = wanted
    done = proved(case, wanted, folder_of(tmp_path_factory), exact=combine == "max")
    if combine == "max":
        told = np.where(places < 0, -1, places)
        assert np.array_equal(done.where, told)
        if case.convention == "onnx":
            planes = np.arange(len(told)).reshape(-1, *(1,) * (told.ndim - 1)) * np.prod(done.x.shape[1:])
            told = np.where(told < 0, -1, told + planes)
        assert np.array_equal(done.indices, case.given.outward(told))
        for step in done.by_output() if few_steps(done) else ():
            if len(step.terms):
                won = np.ravel_multi_index(tuple(step.reads[step.winner][1:]), done.x.shape[1:])
                assert won == places[tuple(step.writes[0])]
    if combine == "mean" and few_steps(done):
        assert near((matrix_of(done) @ done.x.ravel()).reshape(wanted.shape), wanted, case.array)


@given(data=st.data())
def test_a_value_that_is_greatest_comes_back_to_its_place(data):
    case = data.draw(pools("max", ("torch", "onnx")))
    done = case.trace()
    if (done.where < 0).any():
        return
    kernel = tuple(a.kernel for a in done.axes)
    stride = tuple(a.stride for a in done.axes)
    padding = tuple((a.before, a.after) for a in done.axes)
    try:
        op = MaxUnpool(kernel, stride, padding, convention=case.convention)
        back = op.trace(done)
    except ConvanimError:
        return  # no unpooling has the sizes of a dilated or rounded window
    back.verify()
    back.by_input().verify()
    assert back.answer.shape == done.x.shape
    kept = np.zeros(done.x.shape, bool)
    np.put_along_axis(kept.reshape(len(kept), -1), done.where.reshape(len(kept), -1), True, axis=1)
    assert np.array_equal(back.answer, np.where(kept, done.x, 0))
    sizes = [a.output for a in back.axes]
    again = op.trace(done.output, done.indices, sizes)
    assert np.array_equal(again.output, back.output)


@thorough
@given(case=adaptive_pools())
def test_adaptive_poolings(tmp_path_factory, case):
    greatest = case.op.combine == "max"
    wanted = (definitions.adaptive_max_pool if greatest else definitions.adaptive_avg_pool)(
        case.array, **case.arguments
    )
    wanted, places = wanted if greatest else (wanted, None)
    done = proved(case, wanted, folder_of(tmp_path_factory), exact=greatest)
    if greatest:
        assert np.array_equal(done.where, places)
    elif few_steps(done):
        assert near((matrix_of(done) @ done.x.ravel()).reshape(wanted.shape), wanted, case.array)


# Unpooling


@thorough
@given(case=unpools())
def test_unpoolings(tmp_path_factory, case):
    wanted = definitions.max_unpool(case.array, case.places, **case.arguments)
    done = case.trace()
    assert np.array_equal(done.answer, wanted)
    assert done.answer.dtype == done.x.dtype
    proved(case, wanted, folder_of(tmp_path_factory), exact=True)
    if few_steps(done):
        assert np.array_equal((matrix_of(done) @ done.x.ravel()).reshape(wanted.shape), wanted)


# Fixed upsampling


@thorough
@given(case=upsamples())
def test_upsamplings(tmp_path_factory, case):
    wanted = definitions.upsample(case.array, **case.arguments)
    exact = case.arguments["mode"] != "bilinear"
    done = proved(case, wanted, folder_of(tmp_path_factory), exact=exact)
    assert (done.answer.dtype.kind == "f") == (case.values in ("eighths", "floats") or not exact)
    if not few_steps(done):
        return
    matrix = matrix_of(done)
    assert near((matrix @ done.x.ravel()).reshape(wanted.shape), wanted, case.array)
    if case.arguments["mode"] != "nails":
        assert np.allclose(matrix.sum(axis=1), 1)  # the weights of a cell add up to 1, also at the border
    lines = [taps.matrix() for taps in done.by_output().taps]
    product = lines[0]
    for line in lines[1:]:
        product = np.kron(product, line)
    assert np.allclose(np.kron(np.eye(len(done.x)), product), matrix, rtol=0, atol=1e-15)


# Pixel shuffle


@pytest.mark.parametrize("up", [True, False], ids=["shuffle", "unshuffle"])
@thorough
@given(data=st.data())
def test_shuffles(tmp_path_factory, up, data):
    case = data.draw(shuffles(up))
    wanted = (definitions.pixel_shuffle if up else definitions.pixel_unshuffle)(case.array, **case.arguments)
    done = proved(case, wanted, folder_of(tmp_path_factory), exact=True)
    back = (PixelUnshuffle if up else PixelShuffle)(
        case.op.factor, order="DCR" if case.op.depth_first else "CRD", convention=case.convention
    )
    assert np.array_equal(back.trace(done.output).answer, done.x)
    if not few_steps(done):
        return
    matrix = matrix_of(done)
    assert np.array_equal((matrix @ done.x.ravel()).reshape(wanted.shape), wanted)
    assert np.array_equal(matrix @ matrix.T, np.eye(len(matrix)))  # it only moves values
