//! Gives back what starting touched.
//!
//! Starting runs through much of the program's code once, and the kernel maps a neighbourhood of each page that is
//! touched: most of a resting host's memory would be code that never runs again.

/// Unmaps the program's code from this process; what runs is mapped again, page by page, from the kernel's cache.
#[cfg(target_os = "linux")]
pub fn give_back_code() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    let Ok(program) = std::env::current_exe() else { return };
    let program = program.to_string_lossy();
    for (start, end) in maps.lines().filter_map(|line| code_of(line, &program)) {
        // SAFETY: the range is a mapping of the program's own file, as the kernel lists it, and it is neither
        // writable nor changed by relocations (those lie in other segments), so that reading it from the file again
        // gives the same bytes. The mapping itself stays.
        #[expect(unsafe_code, reason = "the only call for it")]
        let given = unsafe {
            rustix::mm::madvise(
                std::ptr::without_provenance_mut(start),
                end - start,
                rustix::mm::Advice::LinuxDontNeed,
            )
        };
        if let Err(error) = given {
            tracing::debug!("code could not be given back: {error}");
        }
    }
}

/// Nothing to do elsewhere.
#[cfg(not(target_os = "linux"))]
pub fn give_back_code() {}

/// The range of an executable, unwritable, private mapping of that file, from a line of `/proc/self/maps` (proc(5)).
#[cfg(target_os = "linux")]
fn code_of(line: &str, program: &str) -> Option<(usize, usize)> {
    let mut fields = line.splitn(6, ' ');
    let (range, access) = (fields.next()?, fields.next()?);
    let path = fields.nth(3)?.trim_start();
    if access != "r-xp" || path != program {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_programs_own_code_is_given_back() {
        let line = "55d0c0a00000-55d0c1000000 r-xp 00a00000 fe:00 1234                       /opt/a b/sluicegate";
        assert_eq!(code_of(line, "/opt/a b/sluicegate"), Some((0x55d0_c0a0_0000, 0x55d0_c100_0000)));
        assert_eq!(code_of(line, "/opt/other"), None);
        for access in ["r--p", "rw-p", "rwxp", "r-xs"] {
            assert_eq!(code_of(&line.replace("r-xp", access), "/opt/a b/sluicegate"), None, "{access}");
        }
        assert_eq!(code_of("7fff0000-7fff1000 r-xp 00000000 00:00 0", ""), None);
    }

    #[test]
    fn the_program_runs_on_without_its_code() {
        give_back_code();
        assert_eq!("still here".to_uppercase(), "STILL HERE");
    }
}
