//! Runs: that they learn, stop, resume, lengthen and have phases, and that edited files end in an
//! error. One binary, because linking Burn takes long.

mod folder;
mod mutations;
mod phases;
mod resume;
mod smoke;
