//! The `sluicegate` program.

use std::process::ExitCode;

/// An event is many small allocations, made on one thread and freed on another; this allocator takes a quarter off
/// what each costs.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Few arenas, and freed memory goes back soon: the process rests most of its life.
///
/// jemalloc reads its settings from a symbol of this name before anything else runs.
// SAFETY: the symbol is jemalloc's own, and a thin pointer to a C string is what it declares.
#[unsafe(export_name = "_rjem_malloc_conf")]
#[expect(unsafe_code, reason = "the only way to set them for a process that somebody else starts")]
pub static MALLOC_CONF: &Settings = &Settings(*b"narenas:2,dirty_decay_ms:1000,muzzy_decay_ms:0\0");

/// A C string whose address is a thin pointer.
#[repr(transparent)]
pub struct Settings([u8; 47]);

fn main() -> ExitCode {
    match sluicegate::cli::run() {
        Ok(code) => u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(error) => {
            anstream::eprintln!("sluicegate: {error:#}");
            ExitCode::FAILURE
        }
    }
}
