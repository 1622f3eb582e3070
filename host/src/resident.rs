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
    for (start, end) in unchanged(&maps, &program) {
        // SAFETY: the range is a mapping of the program's own file, as the kernel lists it, and it is neither
        // writable nor changed by relocations (what they change is mapped behind the code), so that reading it from
        // the file again gives the same bytes. The mapping itself stays.
        #[expect(unsafe_code, reason = "the only call for it")]
        let given = unsafe {
            rustix::mm::madvise(std::ptr::without_provenance_mut(start), end - start, rustix::mm::Advice::LinuxDontNeed)
        };
        if let Err(error) = given {
            tracing::debug!("code could not be given back: {error}");
        }
    }
}

/// Nothing to do elsewhere.
#[cfg(not(target_os = "linux"))]
pub fn give_back_code() {}

/// The program's code and the constants before it, from `/proc/self/maps` (proc(5)): private, unwritable mappings of
/// its file up to the first executable one. Behind that stands what relocations have changed.
#[cfg(target_os = "linux")]
fn unchanged(maps: &str, program: &str) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    for line in maps.lines() {
        let mut fields = line.splitn(6, ' ');
        let (Some(range), Some(access)) = (fields.next(), fields.next()) else { continue };
        if fields.nth(3).is_none_or(|path| path.trim_start() != program) {
            continue;
        }
        if access != "r--p" && access != "r-xp" {
            break;
        }
        let hex = |digits| usize::from_str_radix(digits, 16);
        if let Some((Ok(start), Ok(end))) = range.split_once('-').map(|(start, end)| (hex(start), hex(end))) {
            ranges.push((start, end));
        }
        if access == "r-xp" {
            return ranges;
        }
    }
    // Without code this is no program as it is known here.
    Vec::new()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_what_relocations_never_change_is_given_back() {
        let maps = "\
1000-2000 r--p 00000000 fe:00 12                       /lib/other
3000-4000 r--p 00000000 fe:00 34                       /opt/a b/sluicegate
4000-9000 r-xp 00001000 fe:00 34                       /opt/a b/sluicegate
9000-a000 r--p 00006000 fe:00 34                       /opt/a b/sluicegate
a000-b000 rw-p 00007000 fe:00 34                       /opt/a b/sluicegate
c000-d000 rw-p 00000000 00:00 0
";
        assert_eq!(unchanged(maps, "/opt/a b/sluicegate"), [(0x3000, 0x4000), (0x4000, 0x9000)]);
        assert_eq!(unchanged(maps, "/opt/other"), []);
        assert_eq!(unchanged(&maps.replace("r-xp", "rwxp"), "/opt/a b/sluicegate"), []);
    }

    #[test]
    fn the_program_runs_on_without_its_code() {
        give_back_code();
        assert_eq!("still here".to_uppercase(), "STILL HERE");
    }
}
