//! Which epoch is the best one.

use crate::experiment::BestBy;
use crate::progress::EpochRow;

/// Returns the criterion that can choose among the epochs: that of the experiment, or the loss once
/// the AUROC of an epoch is undefined.
pub(super) fn criterion(asked: BestBy, epochs: &[EpochRow], auroc: Option<f64>) -> BestBy {
    let is_defined = |auroc: Option<f64>| auroc.is_some_and(f64::is_finite);
    let are_defined = epochs.iter().all(|row| is_defined(row.valid_auroc));
    match asked {
        BestBy::Auroc if are_defined && is_defined(auroc) => BestBy::Auroc,
        BestBy::Auroc | BestBy::Loss => BestBy::Loss,
    }
}

/// Whether an epoch is better by the criterion than the best one before it.
pub(super) fn is_better(
    by: BestBy,
    loss: f64,
    auroc: Option<f64>,
    best: Option<&EpochRow>,
) -> bool {
    best.is_none_or(|best| match by {
        BestBy::Loss => loss < best.valid_loss,
        BestBy::Auroc => auroc > best.valid_auroc,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(valid_loss: f64, valid_auroc: Option<f64>) -> EpochRow {
        EpochRow {
            epoch: 1,
            train_loss: 0.5,
            valid_loss,
            valid_auroc,
            learning_rate: 0.1,
            is_best: true,
            seconds: 0.0,
            waiting: 0.0,
            is_by_loss_instead: false,
        }
    }

    #[test]
    fn an_undefined_auroc_makes_the_loss_choose_from_then_on() {
        let [defined, undefined] = [row(0.5, Some(0.6)), row(0.5, None)];
        let by = |epochs: &[EpochRow], auroc| criterion(BestBy::Auroc, epochs, auroc);

        assert_eq!(by(&[], Some(0.7)), BestBy::Auroc);
        assert_eq!(by(&[], None), BestBy::Loss);
        assert_eq!(by(&[], Some(f64::NAN)), BestBy::Loss);
        assert_eq!(by(std::slice::from_ref(&defined), Some(0.7)), BestBy::Auroc);
        assert_eq!(by(&[defined.clone(), undefined, defined], Some(0.7)), BestBy::Loss);
        assert_eq!(criterion(BestBy::Loss, &[], Some(0.7)), BestBy::Loss);
    }

    #[test]
    fn an_epoch_is_the_best_only_if_the_criterion_improves() {
        let best = row(0.5, Some(0.6));

        assert!(is_better(BestBy::Loss, 0.4, Some(0.5), Some(&best)));
        assert!(!is_better(BestBy::Loss, 0.5, Some(0.9), Some(&best)), "a tie is not better");
        assert!(is_better(BestBy::Auroc, 0.9, Some(0.7), Some(&best)));
        assert!(!is_better(BestBy::Auroc, 0.4, Some(0.6), Some(&best)));
        assert!(is_better(BestBy::Loss, 0.9, None, None), "the first epoch");
    }

    #[test]
    fn the_line_of_an_epoch_says_that_the_loss_chose() {
        let instead = EpochRow { is_by_loss_instead: true, ..row(0.5, None) };

        assert!(instead.to_string().ends_with("best  (by loss, because the AUROC is undefined)"));
        assert!(row(0.5, Some(0.6)).to_string().ends_with("best"));
    }
}
