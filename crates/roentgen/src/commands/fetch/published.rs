//! Addresses, lengths and checksums of the published files.
//!
//! The addresses of the twelve archives are from the NIH Clinical Center's own
//! `batch_download_zips.py`, their MD5s from its `FAQ_CHESTXRAY.pdf`, question 7, and the lengths
//! from the server. The tables have no such links. They come from the same Box folder,
//! <https://nihcc.app.box.com/v/ChestXray-NIHCC>, by the file numbers on its pages, with the
//! SHA-256 sums that others have recorded for these files. If Box does not answer, the tables come
//! from the copy of the data set `alkzar90/NIH-Chest-X-ray-dataset` on Hugging Face, whose label
//! file differs in one word of the header and whose lists have no published checksum.
//!
//! ChestMNIST's addresses and MD5s are from `medmnist/info.py` in version 3.0.2 of MedMNIST's
//! Python package.

use crate::cli::ChestmnistSize;
use crate::download::Checksum;

/// The download page of the NIH Clinical Center.
pub(super) const NIH_PAGE: &str = "https://nihcc.app.box.com/v/ChestXray-NIHCC";
/// The terms of use of the NIH Clinical Center's films.
pub(super) const NIH_ASKS: &str = "the films are from the NIH Clinical Center, which asks users \
    to link to\nhttps://nihcc.app.box.com/v/ChestXray-NIHCC, to acknowledge the NIH Clinical Center as \
    the provider,\nand to cite Wang et al., \"ChestX-ray8: Hospital-scale Chest X-ray Database and \
    Benchmarks\non Weakly-Supervised Classification and Localization of Common Thorax Diseases\", IEEE \
    CVPR 2017";
/// The terms of use of ChestMNIST.
pub(super) const MEDMNIST_ASKS: &str =
    "ChestMNIST is under CC BY 4.0: cite Yang et al., \"MedMNIST v2\", Scientific Data 10:41, 2023";

/// A table of NIH's release.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReleaseTable {
    /// Its name in `--only`.
    pub(super) part: &'static str,
    /// Its file.
    pub(super) name: &'static str,
    /// Its addresses, best first, each with the SHA-256 of the file there.
    pub(super) addresses: &'static [(&'static str, Option<&'static str>)],
}

/// Labels, boxes and lists.
pub(super) const TABLES: [ReleaseTable; 4] = [
    ReleaseTable {
        part: "labels",
        name: "Data_Entry_2017_v2020.csv",
        addresses: &[
            (
                "https://nihcc.app.box.com/index.php?rm=box_download_shared_file&vanity_name=ChestXray-NIHCC&file_id=f_219760887468",
                Some("c69a6daca3549af707ca9cacbdf9f9a7b6a9188e8c61157df653520bb72d8eb1"),
            ),
            (
                "https://huggingface.co/datasets/alkzar90/NIH-Chest-X-ray-dataset/resolve/main/data/Data_Entry_2017_v2020.csv",
                Some("dc1d2df67fdc1c5a7601d48699cda2b13dc2c4841488b4183dcf04884dbaca11"),
            ),
        ],
    },
    ReleaseTable {
        part: "boxes",
        name: "BBox_List_2017.csv",
        addresses: &[
            (
                "https://nihcc.app.box.com/index.php?rm=box_download_shared_file&vanity_name=ChestXray-NIHCC&file_id=f_219760940956",
                Some("0bbfea9d4c4e9771481b3023b1bc9f0df9dea924453b12986beb29b0c4d0c95b"),
            ),
            (
                "https://huggingface.co/datasets/alkzar90/NIH-Chest-X-ray-dataset/resolve/main/data/BBox_List_2017.csv",
                Some("0bbfea9d4c4e9771481b3023b1bc9f0df9dea924453b12986beb29b0c4d0c95b"),
            ),
        ],
    },
    ReleaseTable {
        part: "lists",
        name: "train_val_list.txt",
        addresses: &[
            (
                "https://nihcc.app.box.com/index.php?rm=box_download_shared_file&vanity_name=ChestXray-NIHCC&file_id=f_256056636701",
                Some("61fbe896321c1c1c8b75f3e4f3a08e4fef6486d95ef8a667c31d4d60dca6cb81"),
            ),
            (
                "https://huggingface.co/datasets/alkzar90/NIH-Chest-X-ray-dataset/resolve/main/data/train_val_list.txt",
                None,
            ),
        ],
    },
    ReleaseTable {
        part: "lists",
        name: "test_list.txt",
        addresses: &[
            (
                "https://nihcc.app.box.com/index.php?rm=box_download_shared_file&vanity_name=ChestXray-NIHCC&file_id=f_256055473534",
                Some("38ca5ef7f756092946f57c1a59faca882ed589a1ab1f72590b45dc06c6d5e1cc"),
            ),
            (
                "https://huggingface.co/datasets/alkzar90/NIH-Chest-X-ray-dataset/resolve/main/data/test_list.txt",
                None,
            ),
        ],
    },
];

/// An archive of films.
#[derive(Clone, Copy, Debug)]
pub(super) struct FilmArchive {
    /// Its name in `--only`, and the folder that it is unpacked into.
    pub(super) part: &'static str,
    /// Its name below <https://nihcc.box.com/shared/static/>.
    box_name: &'static str,
    /// Its length, to estimate the time left; only the MD5 is verified.
    pub(super) bytes: u64,
    md5: &'static str,
}

impl FilmArchive {
    /// Returns its file name.
    pub(super) fn name(&self) -> String {
        format!("{}.tar.gz", self.part)
    }

    /// Returns its address.
    pub(super) fn url(&self) -> String {
        format!("https://nihcc.box.com/shared/static/{}.gz", self.box_name)
    }

    /// Returns its published checksum.
    pub(super) fn checksum(&self) -> Checksum {
        Checksum::Md5(self.md5.to_owned())
    }
}

const fn films(
    part: &'static str,
    box_name: &'static str,
    bytes: u64,
    md5: &'static str,
) -> FilmArchive {
    FilmArchive { part, box_name, bytes, md5 }
}

/// The twelve archives.
#[rustfmt::skip]
pub(super) const FILMS: [FilmArchive; 12] = [
    films("images_001", "vfk49d74nhbxq3nqjg0900w5nvkorp5c", 2_008_470_987, "fe8ed0a6961412fddcbb3603c11b3698"),
    films("images_002", "i28rlmbvmfjbl8p2n3ril0pptcmcu9d1", 3_952_623_504, "ab07a2d7cbe6f65ddd97b4ed7bde10bf"),
    films("images_003", "f1t00wrtdk94satdfb9olcolqx20z2jp", 3_929_234_850, "2301d03bde4c246388bad3876965d574"),
    films("images_004", "0aowwzs5lhjrceb3qp67ahp0rd1l1etg", 3_838_903_983, "9f1b7f5aae01b13f4bc8e2c44a4b8ef6"),
    films("images_005", "v5e3goj22zr6h8tzualxfsqlqaygfbsn", 3_935_496_531, "1861f3cd0ef7734df8104f2b0309023b"),
    films("images_006", "asi7ikud9jwnkrnkj99jnpfkjdes7l6l", 3_986_301_172, "456b53a8b351afd92a35bc41444c58c8"),
    films("images_007", "jn1b4mw4n6lnh74ovmcjb8y48h8xj07n", 4_016_328_426, "1075121ea20a137b87f290d6a4a5965e"),
    films("images_008", "tvpxmn7qyrgl0w8wfh9kqfjskv6nmm1j", 4_018_347_353, "b61f34cec3aa69f295fbb593cbd9d443"),
    films("images_009", "upyy3ml7qdumlgk2rfcvlb9k6gvqq2pj", 4_111_327_929, "442a3caa61ae9b64e61c561294d1e183"),
    films("images_010", "l6nilvfa9cg3s28tqv1qc1olm3gnz54p", 4_181_556_296, "09ec81c4c31e32858ad8cf965c494b74"),
    films("images_011", "hhq8fkdgvcari67vfhs7ppg2w6ni4jze", 4_187_084_020, "499aefc67207a5a97692424cf5dbeed5"),
    films("images_012", "ioqwiy20ihqwyr8pf4c24eazhh281pbu", 2_914_187_733, "dc9fda1757c2de0032b63347a7d2895c"),
];

/// Returns height and width in pixels, file name and MD5 of a size of ChestMNIST.
pub(super) fn chestmnist(size: ChestmnistSize) -> (u32, &'static str, Checksum) {
    let (pixels, file, md5) = match size {
        ChestmnistSize::Px28 => (28, "chestmnist.npz", "02c8a6516a18b556561a56cbdd36c4a8"),
        ChestmnistSize::Px64 => (64, "chestmnist_64.npz", "9de6cd0b934ebb5b7426cfba5efbae16"),
        ChestmnistSize::Px128 => (128, "chestmnist_128.npz", "db107e5590b27930b62dbaf558aebee3"),
        ChestmnistSize::Px224 => (224, "chestmnist_224.npz", "45bd33e6f06c3e8cdb481c74a89152aa"),
    };
    (pixels, file, Checksum::Md5(md5.to_owned()))
}

/// Returns the address of a file of ChestMNIST.
pub(super) fn chestmnist_url(file: &str) -> String {
    format!("https://zenodo.org/records/10519652/files/{file}?download=1")
}
