//! The signs of the fourteen findings: how each changes the chest, and its box.
//!
//! A sign first reshapes the anatomy ([`reshape`]), before anything is drawn, and then paints on
//! the layers ([`paint`]). Side, position and size come from the sign's own random numbers; its
//! strength says how obvious it is.

use rand_chacha::ChaCha8Rng;

use super::anatomy::Anatomy;
use super::canvas::Area;
use super::patient::Sign;
use super::side::BodySide;
use super::tissue::Layers;
use super::{airspace, lesions};
use roentgen_data::Finding;

/// Changes the shape of the chest for a sign.
pub(super) fn reshape(anatomy: &mut Anatomy, sign: &Sign, rng: &mut ChaCha8Rng) {
    let strength = sign.strength;
    match sign.finding {
        Finding::Atelectasis => {
            // Lost volume pulls the diaphragm up on that side.
            let side = BodySide::random(rng) as usize;
            anatomy.domes[side] -= 0.025 + 0.035 * strength;
        }
        Finding::Cardiomegaly => {
            let ratio = 0.58 + 0.10 * strength;
            let wider = ratio / anatomy.cardiothoracic_ratio();
            anatomy.heart = anatomy.heart.map(|reach| reach * wider);
        }
        Finding::Emphysema => {
            let lower = 0.045 + 0.04 * strength;
            anatomy.domes = anatomy.domes.map(|dome| dome + lower);
            anatomy.falls = anatomy.falls.map(|fall| fall * (0.5 - 0.25 * strength));
            anatomy.half_width += 0.012;
            anatomy.aeration *= 1.10 + 0.08 * strength;
            anatomy.vessels *= 0.7;
            // A large heart stays large.
            if anatomy.cardiothoracic_ratio() < 0.54 {
                anatomy.heart = anatomy.heart.map(|reach| reach * 0.84);
            }
        }
        Finding::Fibrosis => {
            let higher = 0.025 + 0.03 * strength;
            anatomy.domes = anatomy.domes.map(|dome| dome - higher);
            anatomy.aeration *= 0.96;
        }
        Finding::Edema => anatomy.vessels *= 1.25,
        Finding::Consolidation
        | Finding::Effusion
        | Finding::Hernia
        | Finding::Infiltration
        | Finding::Mass
        | Finding::Nodule
        | Finding::PleuralThickening
        | Finding::Pneumonia
        | Finding::Pneumothorax => {}
    }
}

/// Paints the sign and returns its area, or `None` if NIH draws no boxes of the finding.
pub(super) fn paint(
    layers: &mut Layers,
    anatomy: &Anatomy,
    sign: &Sign,
    rng: &mut ChaCha8Rng,
) -> Option<Area> {
    let strength = sign.strength;
    match sign.finding {
        Finding::Atelectasis => Some(lesions::paint_plates(layers, anatomy, strength, rng)),
        Finding::Cardiomegaly => Some(heart_area(anatomy)),
        Finding::Effusion => Some(airspace::paint_effusion(layers, anatomy, strength, rng)),
        Finding::Infiltration => Some(airspace::paint_infiltration(layers, anatomy, strength, rng)),
        Finding::Mass => Some(lesions::paint_mass(layers, anatomy, strength, rng)),
        Finding::Nodule => Some(lesions::paint_nodules(layers, anatomy, strength, rng)),
        Finding::Pneumonia => Some(airspace::paint_pneumonia(layers, anatomy, strength, rng)),
        Finding::Pneumothorax => Some(lesions::paint_pneumothorax(layers, anatomy, strength, rng)),
        Finding::Consolidation => {
            airspace::paint_consolidation(layers, anatomy, strength, rng);
            None
        }
        Finding::Edema => {
            airspace::paint_edema(layers, anatomy, strength, rng);
            None
        }
        Finding::Emphysema => None,
        Finding::Fibrosis => {
            lesions::paint_fibrosis(layers, anatomy, strength, rng);
            None
        }
        Finding::Hernia => {
            lesions::paint_hernia(layers, anatomy, strength, rng);
            None
        }
        Finding::PleuralThickening => {
            lesions::paint_thickening(layers, anatomy, strength, rng);
            None
        }
    }
}

/// Returns the area of the heart without the great vessels.
fn heart_area(anatomy: &Anatomy) -> Area {
    let [top, bottom] = anatomy.heart_heights();
    let middle = anatomy.spine(0.5 * (top + bottom));
    Area { left: middle - anatomy.heart[0], top, right: middle + anatomy.heart[1], bottom }
}
