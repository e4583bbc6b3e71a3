import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import convanim.trace.oracle
from convanim.errors import CheckFailed
from convanim.layers import Conv, ConvTranspose
from convanim.trace import ConvTrace, Trace, trace
from support.weighted import agree, layers, plain, thorough

BOTH = pytest.mark.parametrize("transposed", [False, True], ids=["conv", "transposed"])


def small():
    """A layer with everything: padding, stride, a bias, channels."""
    op = ConvTranspose(kernel_size=(3, 2), stride=2, padding=1, output_padding=1, groups=2)
    x, weight = np.arange(12).reshape(2, 2, 3) - 5, np.arange(24).reshape(2, 2, 3, 2) - 7
    return op.trace(x, weight, [1, -2, 3, 4])


# Answers


@BOTH
@thorough
@given(st.data())
def test_every_way_to_the_output_gives_what_plain_loops_give(transposed, data):
    case = data.draw(layers(transposed))
    wanted = plain(case)
    done = case.trace()
    assert agree(done.answer, wanted, case)
    assert np.array_equal(done.output, case.given.outward(done.answer))
    for ordered in (done, done.by_input(), done.by_input().by_output()):
        assert agree(ordered.replay(), wanted, case)
        assert np.array_equal(ordered.output, done.output)
        ordered.verify()  # against oracle.py too, or it raises
    assert done.given == np.shape(case.x) or case.outputs > 1


def follow(done):
    """The output computed from the steps alone, one number at a time."""
    canvas = np.zeros(done.canvas, done.output.dtype)
    for step in done:
        for place, value in zip(map(tuple, step.writes), step.written, strict=True):
            canvas[place] = value if step.mode == "set" else canvas[place] + value
    if done.canvas[1:] != tuple(a.output for a in done.axes):
        canvas = canvas[(slice(None), *(slice(max(a.before, 0), max(a.before, 0) + a.output) for a in done.axes))]
    if done.order == "scatter" and done.bias is not None:
        canvas = canvas + done.bias.reshape(-1, *[1] * len(done.axes))
    return canvas


def in_row_major_order(places):
    """Whether the positions are strictly increasing in row-major order."""
    return all(a < b for a, b in itertools.pairwise(map(tuple, places.tolist())))


@BOTH
@settings(max_examples=200)
@given(st.data())
def test_what_a_step_says_is_so(transposed, data):
    case = data.draw(layers(transposed))
    wanted = plain(case)
    gather, scatter = case.trace(), case.trace().by_input()
    x, weight = case.arrays[0], case.stamped
    met = []
    for done in (gather, scatter):
        walked = list(np.ndindex(done.cells))
        assert len(done) == len(walked)
        taps = set()
        for number, (step, cell) in enumerate(zip(done, walked, strict=True)):
            assert step.number == number
            assert np.array_equal(step.values, x[tuple(step.reads.T)])
            assert np.array_equal(step.weights, weight[tuple(step.factors.T)])
            assert np.array_equal(step.terms, step.values * step.weights)
            writes = step.writes
            if done.order == "gather":
                assert (step.phase, step.mode) == ("slide", "set")
                assert [tuple(w) for w in writes.tolist()] == [cell]
                assert in_row_major_order(step.reads) or case.mode != "zeros"
                total = sum(step.terms.tolist()) + (0 if done.bias is None else done.bias[cell[0]].item())
                assert step.written.shape == (1,)
                assert step.written[0] == (total if case.exact else pytest.approx(total, rel=1e-9, abs=1e-7))
                writes = np.broadcast_to(writes, step.reads.shape)
            else:
                assert (step.phase, step.mode) == ("stamp", "add")
                assert all(tuple(r) == cell for r in step.reads.tolist())
                # A stamp adds to each cell once, unless the padding copies the cell that it comes from.
                assert len(set(map(tuple, writes.tolist()))) == len(writes) or case.mode != "zeros"
                assert in_row_major_order(writes) or not transposed
                assert np.array_equal(step.written, step.terms)
                # Positions of a transposed layer are on the canvas before cropping.
                writes = writes - [0, *(max(a.before, 0) if a.transposed else 0 for a in done.axes)]
            inside = ((writes >= 0) & (writes < wanted.shape)).all(axis=1)
            rows = np.hstack([step.reads, step.factors, writes])[inside]
            taps |= set(map(tuple, rows.tolist()))
        met.append(taps)
        assert agree(follow(done), wanted, case)
    assert met[0] == met[1]


@thorough
@given(layers(transposed=False, modes=("zeros",)))
def test_a_convolution_and_its_transpose_are_adjoint(case):
    """<Ax, y> = <x, Aᵀy> with the same weights: the layer's gradient with respect to its input."""
    down = case.op.trace(case.x, case.weight)
    y = np.arange(down.output.size).reshape(down.output.shape) % 17 - 8
    back = down.backward(y)
    assert back.answer.shape == down.x.shape
    assert back.output.shape == (down.given if down.output.ndim == len(down.given) else back.output.shape)
    back.verify()
    grad = y[None] if case.given.planar else y
    grad = grad[0] if case.given.batch else grad
    grad = np.moveaxis(grad, -1, 0) if case.given.last and not case.given.planar else grad
    left, right = (
        sum(p * q for p, q in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True))
        for a, b in ((down.answer, grad), (down.x, back.answer))
    )
    assert left == (right if case.exact else pytest.approx(right, rel=1e-9, abs=1e-4))


@thorough
@given(layers())
def test_the_steps_are_a_matrix(case):
    """Its rows are outputs and its columns inputs; the transposed layer has the transpose."""
    done = case.trace()
    assume(len(done) + len(done.by_input()) <= 150)
    matrix = np.zeros((done.answer.size, done.x.size), done.weight.dtype)
    for step in done:
        np.add.at(matrix[step.number], np.ravel_multi_index(tuple(step.reads.T), done.x.shape), step.weights)
    out = (matrix @ done.x.ravel()).reshape(done.answer.shape)
    if done.bias is not None:
        out = out + done.bias.reshape(-1, *[1] * len(done.axes))
    assert agree(out, plain(case), case)
    if not case.op.transposed and case.mode == "zeros":
        back = done.backward()
        turned = np.zeros(matrix.shape[::-1], matrix.dtype)
        for step in back:
            np.add.at(turned[step.number], np.ravel_multi_index(tuple(step.reads.T), back.x.shape), step.weights)
        assert np.array_equal(turned, matrix.T)


@thorough
@given(layers(transposed=True))
def test_zero_insertion_and_overlap_add_are_the_same_cell_for_cell(case):
    """A convolution of stride 1 with the rotated kernel over the spread and padded input equals the sums of stamps."""
    done = case.trace()
    stage = done.x
    for axis, a in enumerate(done.axes, start=1):
        zeros = np.repeat(np.arange(1, a.input), a.stride - 1)
        stage = np.insert(stage, zeros, 0, axis=axis)
        before, after = a.ring
        stage = np.pad(stage, [(max(before, 0), max(after, 0)) if i == axis else (0, 0) for i in range(stage.ndim)])
        stage = np.take(stage, range(max(-before, 0), stage.shape[axis] - max(-after, 0)), axis=axis)
    per = case.inputs // case.groups
    rotated = np.flip(case.stamped, axis=tuple(range(2, stage.ndim + 1)))
    weight = np.concatenate([rotated[g * per : (g + 1) * per].swapaxes(0, 1) for g in range(case.groups)])
    kernel, dilation = tuple(a.kernel for a in done.axes), tuple(a.dilation for a in done.axes)
    slid = Conv(kernel, dilation=dilation, groups=case.groups).trace(stage, weight, case.bias)
    assert agree(slid.answer, done.by_input().replay(), case)
    assert agree(slid.answer, plain(case), case)


# As a sequence


def test_steps_are_numbered_like_a_list():
    done = small()
    assert len(done) == len(list(done)) == 4 * 4 * 5
    for number in (0, 5, len(done) - 1, np.int64(7)):
        assert done[number].number == number
        assert done[number - len(done)].number == number
        assert np.array_equal(done[number - len(done)].reads, done[number].reads)
    for number in (len(done), -len(done) - 1, 10**30):
        with pytest.raises(IndexError, match=f"no step {number}: they are 0 to 79"):
            done[number]
    for number in (1.0, "1", None):
        with pytest.raises(TypeError, match=type(number).__name__):
            done[number]


def test_a_step_does_not_depend_on_the_steps_before_it():
    """Neighbouring steps are computed together and kept; what one of them holds is its own."""
    op, x, weight = ConvTranspose(kernel_size=3, stride=2), np.arange(36).reshape(6, 6), np.arange(9).reshape(3, 3)
    done = op.trace(x, weight)
    wanted = [str(op.trace(x, weight)[n]) for n in range(len(done))]
    for n in np.random.default_rng(3).permutation(len(done)).tolist():
        step = done[n]
        assert str(step) == wanted[n]
        for array in (step.reads, step.factors, step.values, step.weights, step.terms):
            array[:] = 77
        assert done.by_input()[0].phase == "stamp"
    assert [str(step) for step in done] == wanted


def test_traces_are_equal_where_all_they_rest_on_is():
    def make(kind=Conv, x=(1, 2, 3), weight=(1, 1), bias=None):
        return kind(2).trace(x, weight, bias)

    assert make() == make()
    assert make().by_input() == make().by_input()
    others = [
        make(ConvTranspose),
        make(x=(1, 2, 4)),
        make(x=(1.0, 2.0, 3.0)),
        make(x=((1, 2, 3),), weight=(((1, 1),),)),
        make(weight=(1, 2)),
        make(bias=0),
        make().by_input(),
    ]
    for other in others:
        assert make() != other
    assert make() != [0, 1]
    with pytest.raises(TypeError):
        hash(make())


def test_a_trace_does_not_change_with_what_it_was_given():
    x, weight = np.array([1, 2, 3]), np.array([1, 1])
    done = Conv(2).trace(x, weight)
    x[:], weight[:] = 9, 9
    assert done.replay().tolist() == [[3, 5]]
    with pytest.raises(ValueError, match="read-only"):
        done.output[0] = 1
    assert repr(done) == "<Trace of Conv(kernel_size=2) over 1×3: 2 steps in gather order>"


# Proof


def test_an_answer_that_the_steps_do_not_give_is_caught(monkeypatch, tmp_path):
    right = ConvTrace._apply
    monkeypatch.setattr(ConvTrace, "_apply", lambda self: right(self) + 1)
    done = small()
    with pytest.raises(CheckFailed, match="replay") as caught:
        done.verify()
    assert caught.value.exit_code == 1
    with pytest.raises(CheckFailed):
        done.save(tmp_path / "wrong.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["convolve", "transpose"])
def test_an_answer_that_the_oracle_does_not_give_is_caught(monkeypatch, name):
    right = getattr(convanim.trace.oracle, name)
    monkeypatch.setattr(convanim.trace.oracle, name, lambda *given: right(*given) * 2)
    done = small() if name == "transpose" else Conv(2).trace([1, 2, 3], [1, 1])
    for ordered in (done, done.by_input()):
        with pytest.raises(CheckFailed, match="oracle"):
            ordered.verify()


def test_a_wrong_step_and_a_wrong_answer_that_agree_are_caught(monkeypatch):
    apply, replay = ConvTrace._apply, Trace.replay
    monkeypatch.setattr(ConvTrace, "_apply", lambda self: apply(self) + 1)
    monkeypatch.setattr(Trace, "replay", lambda self: replay(self) + 1)
    with pytest.raises(CheckFailed, match="oracle"):
        small().verify()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda right: np.full_like(right, np.nan),
        lambda right: np.full_like(right, np.inf),
        lambda right: right[..., :1],
        lambda right: right[None],
        lambda right: right[..., :0],
    ],
    ids=["NaN", "infinity", "one cell", "another axis", "no cell"],
)
@pytest.mark.parametrize("name", ["replay", "oracle"])
def test_an_answer_of_another_kind_is_caught(monkeypatch, name, wrong):
    done = Conv(1).trace([-2.0, 2.0], [1.0])
    if name == "replay":
        replay = Trace.replay
        monkeypatch.setattr(Trace, "replay", lambda self: wrong(replay(self)))
    else:
        convolve = convanim.trace.oracle.convolve

        def astray(x, *given):  # but correct for the sums of absolute values
            answer = convolve(x, *given)
            return wrong(answer) if (x < 0).any() else answer

        monkeypatch.setattr(convanim.trace.oracle, "convolve", astray)
    with pytest.raises(CheckFailed, match=name):
        done.verify()


@pytest.mark.parametrize("scale", [1e-310, 1e-162, 1e-155, 1.0, 1e150])
def test_rounding_is_no_fault_at_any_scale(scale):
    chance = np.random.default_rng(0)
    x, weight = chance.normal(size=(3, 40)) * scale, chance.normal(size=(2, 3, 3)) * min(scale, 1e150)
    done = Conv(3).trace(x, weight)
    done.verify()
    done.by_input().verify()
    assert done.output.shape == (2, 38)


@pytest.mark.parametrize(
    ("x", "wrong"),
    [
        ([0.5, 1.0], [1e-9, 0]),
        ([0.5e12, 1e12], [0, 100.0]),
        ([0.5e-12, 1e-12], [1e-18, 0]),
        ([1e-300, 2e-300], [1e-306, 0]),
        ([1e300, 2e300], [0, 1e294]),
        ([1e12, 1.0], [0, 0.5]),  # a large neighbour is no excuse
    ],
)
def test_a_wrong_float_is_caught_at_any_scale(monkeypatch, x, wrong):
    apply = ConvTrace._apply
    monkeypatch.setattr(ConvTrace, "_apply", lambda self: apply(self) + wrong)
    with pytest.raises(CheckFailed):
        Conv(1).trace(x, [1.0]).verify()


def test_a_million_placements_cost_what_their_arrays_cost():
    x = np.arange(2**20).reshape(1024, 1024) % 251
    tracemalloc.start()
    try:
        done = Conv(kernel_size=5).trace(x, np.arange(25).reshape(5, 5) - 12)
        done.verify()
        middle = done[len(done) // 2]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(done) == 1020 * 1020
    assert middle.written[0] == done.output[510, 0]
    assert peak < 300 * 2**20


def test_the_function_and_the_method_are_one():
    assert trace(Conv(2), [1, 2, 3], [1, 1]) == Conv(2).trace([1, 2, 3], [1, 1])
    assert trace(Conv(2), [1, 2, 3], [1, 1], order="scatter") == Conv(2).trace([1, 2, 3], [1, 1]).by_input()
