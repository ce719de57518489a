//! The addresses and licences of the published weights of each architecture.
//!
//! Each file is the one with which our network matches its reference: torchvision's, timm's, and
//! for NASNet-A Mobile that of `pretrainedmodels`. The eight digits in a file name are the first
//! digits of its SHA-256, which PyTorch verifies in the same way.

use roentgen_models::Architecture;

use crate::download::Checksum;

/// A published file of weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Published {
    /// The address of its folder.
    folder: &'static str,
    /// Its file name.
    pub(super) name: &'static str,
    /// Its publisher and licence.
    pub(super) licence: &'static str,
}

const TORCHVISION: &str = "https://download.pytorch.org/models";
const TIMM: &str =
    "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights";
const CADENE: &str = "http://data.lip6.fr/cadene/pretrainedmodels";

impl Published {
    /// Returns the file of an architecture, or `None` if none is published in a readable format.
    pub(super) fn of(architecture: Architecture) -> Option<Self> {
        let torchvision =
            |name| Published { folder: TORCHVISION, name, licence: "torchvision, BSD-3-Clause" };
        let timm = |name| Published { folder: TIMM, name, licence: "timm, Apache-2.0" };
        let published = match architecture {
            // Keras publishes HDF5 files; a converted file can be imported.
            Architecture::Mobilenet => return None,
            Architecture::MobilenetV2 => torchvision("mobilenet_v2-b0353104.pth"),
            Architecture::InceptionV3 => torchvision("inception_v3_google-0cc3c7bd.pth"),
            Architecture::InceptionResnetV2 => timm("inception_resnet_v2-940b1cd6.pth"),
            Architecture::Vgg16 => torchvision("vgg16-397923af.pth"),
            Architecture::Vgg19 => torchvision("vgg19-dcbb9e9d.pth"),
            Architecture::NasnetLarge => timm("nasnetalarge-dc4a7b8b.pth"),
            Architecture::NasnetMobile => Published {
                folder: CADENE,
                name: "nasnetamobile-7e03cead.pth",
                licence: "pretrainedmodels, BSD-3-Clause",
            },
            Architecture::Resnet50 => torchvision("resnet50-11ad3fa6.pth"),
            Architecture::Densenet121 => torchvision("densenet121-a639ec97.pth"),
            Architecture::EfficientnetB0 => torchvision("efficientnet_b0_rwightman-7f5810bc.pth"),
        };
        Some(published)
    }

    /// Returns its address.
    pub(super) fn url(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }

    /// Returns the checksum in its name.
    pub(super) fn checksum(&self) -> Option<Checksum> {
        let stem = self.name.strip_suffix(".pth")?;
        let (_, digits) = stem.rsplit_once('-')?;
        Some(Checksum::Sha256Start(digits.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_file_has_eight_digits_of_its_sum_in_its_name() {
        for published in Architecture::ALL.into_iter().filter_map(Published::of) {
            let Some(Checksum::Sha256Start(digits)) = published.checksum() else {
                panic!("{}", published.name);
            };
            assert_eq!(digits.len(), 8, "{}", published.name);
            assert!(digits.bytes().all(|digit| digit.is_ascii_hexdigit()), "{}", published.name);
        }
    }
}
