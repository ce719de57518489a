//! Files of weights and models: as others write them, with a network twice, damaged and hostile.
//! One binary, because linking Burn takes longer than running most of these tests.

mod copies;
mod mutations;
mod pretrained;
mod torchxrayvision;
