//! Where Burn meets the operations: registration with its dispatch, and with its autodiff.
//!
//! This is the only file that knows Burn's traits for it, apart from the running statistics and the
//! loss scale of the GPU (`cuda/running.rs`, `cuda/unscale.rs`). A new operation is a variant of
//! [`Operation`], an arm in each implementation of [`Compute`], and a public function in
//! [`ops`](crate::ops).

use std::fmt::Debug;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, Backend, Dispatch, DispatchTensor, Flex, backend_extension,
};
#[cfg(feature = "cuda")]
use burn_cubecl::CubeBackend;

use crate::activation::Curve;
use crate::algorithm::Algorithm;
use crate::operation::Operation;
use crate::settings::AdamStep;

/// A backend that computes the operations, forward and backward.
pub(crate) trait Compute: Backend {
    /// What the backward pass needs of the forward pass.
    type Saved: Clone + Debug + Send + 'static;

    /// Computes the outputs.
    fn forward(
        operation: Operation,
        inputs: Vec<FloatTensor<Self>>,
    ) -> (Vec<FloatTensor<Self>>, Self::Saved);

    /// Computes the gradients of the inputs from that of the first output. An input that is not
    /// wanted may get none.
    fn backward(
        saved: Self::Saved,
        gradient: FloatTensor<Self>,
        wanted: &[bool],
    ) -> Vec<Option<FloatTensor<Self>>>;
}

/// Runs an operation of `N` inputs and puts it on the tape.
fn record<B: Compute, C: CheckpointStrategy, const N: usize>(
    operation: Operation,
    inputs: Vec<FloatTensor<Autodiff<B, C>>>,
) -> Vec<FloatTensor<Autodiff<B, C>>> {
    let (tensors, nodes): (Vec<_>, Vec<_>) =
        inputs.into_iter().map(FloatTensor::<Autodiff<B, C>>::into_parts).unzip();
    let (outputs, saved) = B::forward(operation, tensors);
    let mut outputs = outputs.into_iter();
    let y = outputs.next().expect("an operation has an output");
    let y = match Node.prepare::<C>(exactly::<_, N>(nodes)).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(saved, y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    };
    let others = outputs.map(<Autodiff<B, C> as AutodiffBackend>::from_inner);
    std::iter::once(y).chain(others).collect()
}

/// An operation on the tape.
#[derive(Debug)]
struct Node;

impl<B: Compute, const N: usize> Backward<B, N> for Node {
    type State = B::Saved;

    fn backward(
        self,
        ops: Ops<B::Saved, N>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = B::backward(ops.state, gradient, &wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                gradients.register::<B>(parent.id, gradient);
            }
        }
    }
}

/// The operations by their number of inputs, since Burn's dispatch does not take lists.
#[backend_extension(Flex, Cube: cfg(feature = "cuda"), Autodiff)]
#[expect(clippy::too_many_arguments, reason = "Burn's dispatch takes tensors one by one")]
pub(crate) trait Operate: Backend {
    fn operate_1(a: FloatTensor<Self>, operation: Operation) -> Vec<FloatTensor<Self>>;

    fn operate_2(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        operation: Operation,
    ) -> Vec<FloatTensor<Self>>;

    fn operate_3(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        operation: Operation,
    ) -> Vec<FloatTensor<Self>>;

    fn operate_4(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        d: FloatTensor<Self>,
        operation: Operation,
    ) -> Vec<FloatTensor<Self>>;

    fn operate_7(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        d: FloatTensor<Self>,
        e: FloatTensor<Self>,
        f: FloatTensor<Self>,
        g: FloatTensor<Self>,
        operation: Operation,
    ) -> Vec<FloatTensor<Self>>;
}

/// Implements [`Operate`] by a function of the operation and a list of inputs.
macro_rules! operate {
    ($($name:ident($($input:ident),+)),+ => $run:path) => {
        $(fn $name($($input: FloatTensor<Self>),+, operation: Operation) -> Vec<FloatTensor<Self>> {
            $run(operation, vec![$($input),+])
        })+
    };
    ($run:path) => {
        operate!(
            operate_1(a),
            operate_2(a, b),
            operate_3(a, b, c),
            operate_4(a, b, c, d),
            operate_7(a, b, c, d, e, f, g) => $run
        );
    };
}

impl Operate for Flex {
    operate!(run_on::<Flex>);
}

#[cfg(feature = "cuda")]
impl Operate for CubeBackend {
    operate!(run_on::<CubeBackend>);
}

impl<B: Compute, C: CheckpointStrategy> Operate for Autodiff<B, C> {
    operate!(run_on_tape::<B, C>);
}

/// Runs the operation on a backend without a tape.
fn run_on<B: Compute>(operation: Operation, inputs: Vec<FloatTensor<B>>) -> Vec<FloatTensor<B>> {
    B::forward(operation, inputs).0
}

/// Runs the operation and puts it on the tape.
fn run_on_tape<B: Compute, C: CheckpointStrategy>(
    operation: Operation,
    inputs: Vec<FloatTensor<Autodiff<B, C>>>,
) -> Vec<FloatTensor<Autodiff<B, C>>> {
    match inputs.len() {
        1 => record::<B, C, 1>(operation, inputs),
        2 => record::<B, C, 2>(operation, inputs),
        3 => record::<B, C, 3>(operation, inputs),
        4 => record::<B, C, 4>(operation, inputs),
        7 => record::<B, C, 7>(operation, inputs),
        other => unreachable!("no operation has {other} inputs"),
    }
}

/// Operations without gradients.
#[backend_extension(Flex, Cube: cfg(feature = "cuda"))]
pub(crate) trait Infer: Backend {
    fn scale_activate(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        curve: Curve,
    ) -> FloatTensor<Self>;

    fn scale_convolve(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        curve: Curve,
        algorithm: Algorithm,
    ) -> FloatTensor<Self>;

    fn adam(
        parameter: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        square: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// Runs an operation on inputs that are all on one backend of this crate, see
/// [`place::takes`](crate::place::takes).
pub(crate) fn run<const N: usize, const M: usize>(
    operation: Operation,
    inputs: [DispatchTensor; N],
) -> [DispatchTensor; M] {
    let inputs: Vec<_> = inputs.into();
    exactly(match inputs.len() {
        1 => {
            let [a] = exactly(inputs);
            Dispatch::operate_1(a, operation)
        }
        2 => {
            let [a, b] = exactly(inputs);
            Dispatch::operate_2(a, b, operation)
        }
        3 => {
            let [a, b, c] = exactly(inputs);
            Dispatch::operate_3(a, b, c, operation)
        }
        4 => {
            let [a, b, c, d] = exactly(inputs);
            Dispatch::operate_4(a, b, c, d, operation)
        }
        7 => {
            let [a, b, c, d, e, f, g] = exactly(inputs);
            Dispatch::operate_7(a, b, c, d, e, f, g, operation)
        }
        other => unreachable!("no operation has {other} inputs"),
    })
}

/// Turns a list into an array of its length.
pub(crate) fn exactly<T, const N: usize>(list: Vec<T>) -> [T; N] {
    let found = list.len();
    list.try_into().unwrap_or_else(|_| panic!("{N} tensors, not {found}"))
}
