//! Results bit for bit at any number of threads.

use crate::support::{cases, run};

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let shapes = [
        [5, 33, 14, 14],
        [7, 3, 15, 13],
        [5, 70, 7, 7],
        [1, 33, 20, 30],
        [16, 8, 14, 14],
        [5, 64, 9, 25],
    ];
    for case in cases(&shapes, 300) {
        let bits = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let results = pool.install(|| run(&case.fast, &case.shapes));
            results.concat().into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };

        let one = bits(1);
        assert!([2, 3].iter().all(|&threads| bits(threads) == one), "{}", case.name);
    }
}
