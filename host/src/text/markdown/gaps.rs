//! What lies between two blocks of the source.

/// A cursor over the source, which only goes forward.
#[derive(Debug)]
pub(super) struct Gaps<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Gaps<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, at: 0 }
    }

    /// The source up to there has been shown.
    pub(super) fn shown(&mut self, to: usize) {
        self.at = self.at.max(to);
    }

    /// Whether there is an empty line between what has been shown and that place. The markers of quotes don't count.
    pub(super) fn empty_line(&mut self, to: usize) -> bool {
        let Some(gap) = self.source.get(self.at..to) else { return false };
        let at_start = self.source[..self.at].ends_with('\n');
        self.at = to;
        // The last part is the beginning of the next block's own line, the first may be the end of a shown one.
        let Some((lines, _)) = gap.rsplit_once('\n') else { return false };
        lines.split('\n').skip(usize::from(!at_start)).any(|line| line.trim_matches([' ', '\t', '>']).is_empty())
    }
}
