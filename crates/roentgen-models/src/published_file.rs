//! Files of weights that others published, and how they spell the names of tensors.

/// A published file of weights.
///
/// Each is the file with which our network matches its reference. The eight digits in a file name
/// are the first digits of its SHA-256, which PyTorch verifies in the same way.
#[derive(Clone, Copy, Debug)]
pub struct PublishedFile {
    /// The address of its folder.
    pub folder: &'static str,
    /// Its file name.
    pub name: &'static str,
    /// Its publisher and licence.
    pub licence: &'static str,
}

impl PublishedFile {
    pub(crate) const fn torchvision(name: &'static str) -> Self {
        let folder = "https://download.pytorch.org/models";
        Self { folder, name, licence: "torchvision, BSD-3-Clause" }
    }

    pub(crate) const fn timm(name: &'static str) -> Self {
        let folder =
            "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights";
        Self { folder, name, licence: "timm, Apache-2.0" }
    }

    /// Returns its address.
    pub fn url(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }

    /// Returns the first digits of its SHA-256, which are in its name.
    pub fn checksum(&self) -> Option<&'static str> {
        let (_, digits) = self.name.strip_suffix(".pth")?.rsplit_once('-')?;
        Some(digits)
    }
}

/// A spelling of the tensor names of an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// The newest spelling.
    Newest,
    /// Our own paths, as in a run's `model.bpk`.
    Own,
    /// torchvision's MobileNetV2 before 0.5: convolution, norm and activation are numbered
    /// consecutively.
    CountedThrough,
    /// torchvision's DenseNet before 0.3: `norm.1` for `norm1`, still used in published files.
    Dotted,
    /// timm's ConvNeXt, with torchvision's tensors under other names.
    TimmConvNext,
    /// TensorFlow's MobileNetV1 as converted for edge boards: norms folded into the convolutions,
    /// channels last.
    FoldedTensorflow,
}
