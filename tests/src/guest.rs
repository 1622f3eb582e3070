//! The adapters of the tests.

include!(concat!(env!("OUT_DIR"), "/guests.rs"));

/// A component, and the name that it gives itself.
#[derive(Debug, Clone)]
pub struct Guest {
    /// The name in its manifest.
    pub name: String,
    /// The component's bytes.
    pub component: Vec<u8>,
}

impl Guest {
    /// The guest of `tests/guests/examples/NAME.rs`.
    ///
    /// # Panics
    /// If there is none.
    pub fn new(file: &str) -> Self {
        let built = BUILT.iter().find(|(name, _)| *name == file);
        let (_, component) = built.unwrap_or_else(|| panic!("there is no guest {file}"));
        Self { name: file.replace('_', "-"), component: component.to_vec() }
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        BUILT.iter().map(|(name, _)| Self::new(name))
    }

    /// The same code with another manifest: `from` is replaced where it stands, by a text of the same length.
    ///
    /// # Panics
    /// If `from` is not there exactly once, or the lengths differ.
    #[must_use]
    pub fn patched(mut self, from: &str, to: &str) -> Self {
        assert_eq!(from.len(), to.len(), "offsets must stay as they are");
        let found: Vec<usize> = self
            .component
            .windows(from.len())
            .enumerate()
            .filter(|(_, window)| *window == from.as_bytes())
            .map(|(at, _)| at)
            .collect();
        assert_eq!(found.len(), 1, "{from:?} must stand in {} once", self.name);
        self.component[found[0]..][..to.len()].copy_from_slice(to.as_bytes());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guest_carries_its_name_in_its_manifest() {
        for guest in Guest::all() {
            let found = guest.component.windows(guest.name.len()).any(|window| window == guest.name.as_bytes());
            assert!(found, "{}", guest.name);
        }
    }

    #[test]
    fn a_manifest_can_be_patched() {
        let (from, to) = ("composes = false", "composes = true ");
        let patched = Guest::new("chat").patched(from, to);
        assert_ne!(patched.component, Guest::new("chat").component);
        assert_eq!(patched.patched(to, from).component, Guest::new("chat").component);
    }
}
