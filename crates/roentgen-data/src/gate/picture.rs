//! What the pixels of a picture say.

use super::eigenfilms::{EIGENFILMS, SIDE};
use super::{Objection, Position, rotate_counterclockwise};
use crate::pixels::{self, Filter, Plane};

/// The least standard deviation of a film, of 255. The least of 2,512 films is 17.
const LEAST_CONTRAST: f64 = 8.0;
/// The largest share of a film with one gray value. The largest of 2,512 films is 0.55.
const MOST_OF_ONE_VALUE: f64 = 0.75;
/// A film is turned or inverted if its residual in that position is below this share of the
/// residual as it is. Upright films have 0.75 and more.
const RATIO: f64 = 0.7;
/// The largest residual of a film, as a share of its variance. The largest of 1,174 films is 0.41.
const MOST_RESIDUAL: f64 = 0.45;
/// The largest mean square of a film's weights in standard deviations. The largest of 1,174 films
/// is 6.85.
const MOST_DISTANCE: f64 = 7.0;

/// Checks a picture of any size; it may be stretched to a square.
///
/// # Errors
///
/// Returns the objection if the picture is not an upright frontal chest film.
pub fn check_picture(plane: &Plane) -> Result<(), Objection> {
    let mut counts = [0_u64; 256];
    for &pixel in &plane.pixels {
        counts[usize::from(pixel)] += 1;
    }
    let total = plane.pixels.len().max(1) as f64;
    let moment = |of: &dyn Fn(f64) -> f64| {
        counts.iter().enumerate().map(|(gray, &count)| of(gray as f64) * count as f64).sum::<f64>()
            / total
    };
    let mean = moment(&|gray| gray);
    if moment(&|gray| (gray - mean).powi(2)).sqrt() < LEAST_CONTRAST {
        return Err(Objection::Blank);
    }
    if counts.iter().any(|&count| count as f64 > MOST_OF_ONE_VALUE * total) {
        return Err(Objection::Saturated);
    }
    let Ok(small) = pixels::resize(plane.clone(), SIDE as u32, Filter::Box) else {
        return Err(Objection::Blank);
    };
    check_small(small)
}

/// Checks a picture of `SIDE` x `SIDE` pixels against the eigenfilms.
fn check_small(small: Plane) -> Result<(), Objection> {
    let upright = EIGENFILMS.place(&small.pixels);
    let mut best = (upright, Position { quarter_turns: 0, is_inverted: false });
    let mut seen = small;
    for quarter_turns in 0..4 {
        let inverted: Vec<u8> = seen.pixels.iter().map(|pixel| u8::MAX - pixel).collect();
        for (is_inverted, pixels) in [(false, &seen.pixels), (true, &inverted)] {
            let place = EIGENFILMS.place(pixels);
            if place.residual < best.0.residual {
                best = (place, Position { quarter_turns, is_inverted });
            }
        }
        seen = rotate_counterclockwise(&seen);
    }
    let is_wrong = best.0.residual < RATIO * upright.residual;
    // What would be corrected has to be a film in that position.
    let place = if is_wrong { best.0 } else { upright };
    if place.residual > MOST_RESIDUAL || place.distance > MOST_DISTANCE {
        Err(Objection::NotAChestFilm)
    } else if is_wrong {
        Err(Objection::Position(best.1))
    } else {
        Ok(())
    }
}
