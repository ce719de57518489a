//! Boxes of the label files as shares of the film, which is how figures and pages take them.

use roentgen_data::boxes::{FRAME, FindingBox};
use roentgen_eval::report::FilmBox;

/// Converts a box from pixels of the frame to shares of the film.
pub(crate) fn in_shares(of: &FindingBox) -> FilmBox {
    FilmBox {
        finding: of.finding.name().to_owned(),
        corner: [of.x / FRAME, of.y / FRAME],
        size: [of.height / FRAME, of.width / FRAME],
    }
}
