//! The operations on Burn's tape: one node for all of them.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, backend_extension};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::adam;
use super::lines::{self, Lines};
use super::operation::{Operation, Saved};
use super::rows::rows;
use crate::AdamStep;
use crate::activation::Curve;
use crate::way::Way;

/// The differentiable operations by their number of inputs: Burn's dispatch takes no lists. The first output alone is
/// differentiable.
#[backend_extension(Cube, Autodiff)]
#[expect(clippy::too_many_arguments, reason = "a backend's operation takes its tensors one by one")]
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

/// Operations without gradients.
#[backend_extension(Cube)]
pub(crate) trait Infer: Backend {
    fn scale(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        curve: Curve,
    ) -> FloatTensor<Self>;

    fn scale_and_convolve(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        curve: Curve,
        way: Way,
    ) -> FloatTensor<Self>;

    fn adam_on_gpu(
        parameter: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        square: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    fn fold_on_gpu(
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    fn follow_on_gpu(
        running_mean: FloatTensor<Self>,
        running_variance: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        momentum: f64,
    ) -> bool;
}

impl Infer for CubeBackend {
    fn scale(x: CubeTensor, scale: CubeTensor, shift: CubeTensor, curve: Curve) -> CubeTensor {
        Lines::of(Some(scale), shift, curve).apply(&rows(x), None)
    }

    fn scale_and_convolve(
        x: CubeTensor,
        scale: CubeTensor,
        shift: CubeTensor,
        weight: CubeTensor,
        curve: Curve,
        way: Way,
    ) -> CubeTensor {
        way.on_gpu(&rows(x), Some(&Lines::of(Some(scale), shift, curve)), &weight).0
    }

    fn adam_on_gpu(
        parameter: CubeTensor,
        mean: CubeTensor,
        square: CubeTensor,
        gradient: CubeTensor,
        step: AdamStep,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        adam::step([parameter, mean, square], gradient, step)
    }

    fn fold_on_gpu(
        gamma: CubeTensor,
        beta: CubeTensor,
        mean: CubeTensor,
        variance: CubeTensor,
        epsilon: f64,
    ) -> (CubeTensor, CubeTensor) {
        lines::fold([&gamma, &beta], [&mean, &variance], epsilon)
    }

    fn follow_on_gpu(
        running_mean: CubeTensor,
        running_variance: CubeTensor,
        mean: CubeTensor,
        variance: CubeTensor,
        momentum: f64,
    ) -> bool {
        adam::follow([&running_mean, &running_variance], [&mean, &variance], momentum);
        true
    }
}

impl Operate for CubeBackend {
    fn operate_1(a: CubeTensor, operation: Operation) -> Vec<CubeTensor> {
        operation.forward(vec![a]).0
    }

    fn operate_2(a: CubeTensor, b: CubeTensor, operation: Operation) -> Vec<CubeTensor> {
        operation.forward(vec![a, b]).0
    }

    fn operate_3(
        a: CubeTensor,
        b: CubeTensor,
        c: CubeTensor,
        operation: Operation,
    ) -> Vec<CubeTensor> {
        operation.forward(vec![a, b, c]).0
    }

    fn operate_4(
        a: CubeTensor,
        b: CubeTensor,
        c: CubeTensor,
        d: CubeTensor,
        operation: Operation,
    ) -> Vec<CubeTensor> {
        operation.forward(vec![a, b, c, d]).0
    }

    fn operate_7(
        a: CubeTensor,
        b: CubeTensor,
        c: CubeTensor,
        d: CubeTensor,
        e: CubeTensor,
        f: CubeTensor,
        g: CubeTensor,
        operation: Operation,
    ) -> Vec<CubeTensor> {
        operation.forward(vec![a, b, c, d, e, f, g]).0
    }
}

/// A tensor on the tape.
type Taped<C> = FloatTensor<Autodiff<CubeBackend, C>>;

impl<C: CheckpointStrategy> Operate for Autodiff<CubeBackend, C> {
    fn operate_1(a: Taped<C>, operation: Operation) -> Vec<Taped<C>> {
        record::<1, C>([a], operation)
    }

    fn operate_2(a: Taped<C>, b: Taped<C>, operation: Operation) -> Vec<Taped<C>> {
        record::<2, C>([a, b], operation)
    }

    fn operate_3(a: Taped<C>, b: Taped<C>, c: Taped<C>, operation: Operation) -> Vec<Taped<C>> {
        record::<3, C>([a, b, c], operation)
    }

    fn operate_4(
        a: Taped<C>,
        b: Taped<C>,
        c: Taped<C>,
        d: Taped<C>,
        operation: Operation,
    ) -> Vec<Taped<C>> {
        record::<4, C>([a, b, c, d], operation)
    }

    fn operate_7(
        a: Taped<C>,
        b: Taped<C>,
        c: Taped<C>,
        d: Taped<C>,
        e: Taped<C>,
        f: Taped<C>,
        g: Taped<C>,
        operation: Operation,
    ) -> Vec<Taped<C>> {
        record::<7, C>([a, b, c, d, e, f, g], operation)
    }
}

/// Runs the operation and puts it on the tape.
fn record<const N: usize, C: CheckpointStrategy>(
    inputs: [Taped<C>; N],
    operation: Operation,
) -> Vec<Taped<C>> {
    let mut tensors = Vec::with_capacity(N);
    let nodes = inputs.map(|input| {
        let (tensor, node) = input.into_parts();
        tensors.push(tensor);
        node
    });
    let (outputs, saved) = operation.forward(tensors);
    let mut outputs = outputs.into_iter();
    let y = outputs.next().expect("an operation has an output");
    let y = match Node.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(saved, y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    };
    let others = outputs.map(<Autodiff<CubeBackend, C> as AutodiffBackend>::from_inner);
    std::iter::once(y).chain(others).collect()
}

/// An operation on the way back.
#[derive(Debug)]
struct Node;

impl<const N: usize> Backward<CubeBackend, N> for Node {
    type State = Saved;

    fn backward(
        self,
        ops: Ops<Saved, N>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<CubeBackend>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = ops.state.backward(gradient, &wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                gradients.register::<CubeBackend>(parent.id, gradient);
            }
        }
    }
}
