//! Running statistics of norms, registered with Burn's dispatch.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::{adam, affine};

/// Operations on running statistics, which only a GPU needs kernels for.
#[backend_extension(Cube)]
pub(crate) trait Running: Backend {
    fn fold(
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// Always returns true: the dispatch needs a result.
    fn follow(
        running_mean: FloatTensor<Self>,
        running_variance: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        momentum: f64,
    ) -> bool;
}

impl Running for CubeBackend {
    fn fold(
        gamma: CubeTensor,
        beta: CubeTensor,
        mean: CubeTensor,
        variance: CubeTensor,
        epsilon: f64,
    ) -> (CubeTensor, CubeTensor) {
        affine::fold([&gamma, &beta], [&mean, &variance], epsilon)
    }

    fn follow(
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
