//! Elements of arrays within a document, with what stands below each.

use super::{Document, Found, Node};
use crate::manifest::{FieldPattern, FieldToken, Pointer};

impl Document {
    /// The values that the pattern leads to, in their order, each with what stands below it. What is missing or `null` on
    /// the way leads to none; anything else that does not lead on counts as one with nothing below it, so that it is not
    /// taken for none.
    #[must_use]
    pub fn elements<const N: usize>(
        &self,
        pattern: &FieldPattern,
        below: [&Pointer; N],
    ) -> Vec<[Option<Found<'_>>; N]> {
        let mut nodes = vec![&self.root];
        for token in &pattern.tokens {
            nodes = nodes.into_iter().flat_map(|node| self.step(node, token)).collect();
        }
        nodes.into_iter().map(|node| below.map(|pointer| self.found(self.below(node, pointer)?))).collect()
    }

    fn step<'d>(&'d self, node: &'d Node, token: &FieldToken) -> Vec<&'d Node> {
        match (node, token) {
            (Node::Null, _) => Vec::new(),
            (Node::Array(elements), FieldToken::Each) => elements.iter().collect(),
            (Node::Object(members), FieldToken::Member(name)) => {
                let named = members.iter().filter(|(it, _)| it.bytes(&self.bytes) == name.as_bytes());
                named.map(|(_, value)| value).collect()
            }
            _ => vec![&Node::OtherNumber],
        }
    }
}
