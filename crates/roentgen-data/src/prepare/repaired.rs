//! Bad films that can be read now. A download that was interrupted may have reserved the length of the
//! whole file, so the length of a film does not change when it is repaired.

use std::path::Path;

use super::{BadFilm, PrepareSettings};
use crate::pixels;

/// Returns the first of the bad films, with the paths that they have now, that can be read.
///
/// Films that were left out for another reason, such as their size, do not count.
pub(super) fn repaired<'a>(
    bad: &'a [BadFilm],
    path_of: impl Fn(&str) -> Option<&'a Path>,
    settings: &PrepareSettings,
) -> Option<&'a str> {
    let is_readable = |path: &Path| {
        pixels::size(path).is_ok()
            && pixels::read_resized(path, settings.size, settings.filter).is_ok()
    };
    let mut unread = bad.iter().filter(|film| !film.is_of_another_size());
    unread.find(|film| path_of(&film.image).is_some_and(is_readable)).map(|film| &*film.image)
}
