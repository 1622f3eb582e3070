//! The checks of an endpoint's body: each leaf is somebody's, the adapter's or the host's, and the shape has room for it.

use std::{collections::BTreeMap, ops::Range};

use toml::Spanned;

use super::{Checked, MANY, elements, limit, twice};
use crate::manifest::{
    BodyShape, FieldPattern, FieldToken, Method, Pointer, Scalar,
    document::{EndpointTable, List},
    error::Fault,
    is_plain,
    shapes::{FormPart, Named, Shape},
};

/// The most fields of a body.
const FIELDS: usize = 128;
/// The longest text that the host writes, in bytes.
const FIXED_BYTES: usize = 1000;

/// What an endpoint says of its body.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) shape: BodyShape,
    pub(super) fields: Vec<FieldPattern>,
    pub(super) required: Vec<FieldPattern>,
    pub(super) json: Vec<String>,
    pub(super) files: Vec<String>,
    pub(super) fixed: BTreeMap<Pointer, Scalar>,
}

impl Body {
    /// Takes the words that are about the body, and checks them.
    pub(super) fn take(table: &mut EndpointTable) -> Checked<Self> {
        let mut body = Self::default();
        let Some(shape) = table.body.take().filter(|shape| *shape.get_ref() != BodyShape::None) else {
            return absent(table).map(|()| body);
        };
        if *table.method.get_ref() == Method::Get {
            return Err(Fault::wrong(shape.span(), "a GET has no body; take another method, or take `body` out"));
        }
        body.shape = *shape.get_ref();
        let (json, files) = (table.json.take(), table.files.take());
        if let Some(json) = json.as_ref().filter(|_| !body.shape.has_parts()) {
            return Err(Fault::wrong(json.span(), "only forms have parts whose text is JSON; take `json` out"));
        }
        if let Some(files) = files.as_ref().filter(|_| body.shape != BodyShape::Multipart) {
            return Err(Fault::wrong(files.span(), "only multipart bodies have files; take body = \"multipart\""));
        }
        let json = parts(json)?;
        body.json = json.iter().map(|part| part.get_ref().clone()).collect();
        let files = parts(files)?;
        if let Some(part) = files.iter().find(|part| body.json.contains(part.get_ref())) {
            return Err(Fault::wrong(part.span(), "a part is a file or JSON, not both; take it out of one list"));
        }
        body.files = files.iter().map(|part| part.get_ref().clone()).collect();
        body.take_fields(table.fields.take())?;
        body.take_fixed(std::mem::take(&mut table.fixed))?;
        if body.fields.is_empty() && body.fixed.is_empty() {
            return Err(Fault::wrong(shape.span(), "nothing may be in it; list `fields`, or take `body` out"));
        }
        for part in files {
            if !body.fields.iter().any(|field| field.is_part() && field.part() == Some(part.get_ref())) {
                return Err(uncovered(part.span(), &format!("/{}", part.get_ref())));
            }
        }
        for part in json {
            let within = |field: &FieldPattern| field.part() == Some(part.get_ref());
            let fixed =
                body.fixed.keys().any(|at| at.tokens().first().is_some_and(|first| **first == **part.get_ref()));
            if !fixed && !body.fields.iter().any(within) {
                return Err(uncovered(part.span(), &format!("/{}/…", part.get_ref())));
            }
        }
        for field in elements::<FieldPattern>(table.required.take(), FIELDS)? {
            let span = field.span();
            body.covers(&span, field.get_ref())?;
            if body.required.contains(field.get_ref()) {
                return Err(twice(span, &field.get_ref().text));
            }
            body.required.push(field.into_inner());
        }
        Ok(body)
    }

    /// Checks that a field is one of those that a body may have.
    pub(super) fn covers(&self, span: &Range<usize>, field: &FieldPattern) -> Checked<()> {
        if self.fields.contains(field) { Ok(()) } else { Err(uncovered(span.clone(), &field.text)) }
    }

    fn take_fields(&mut self, given: Option<Spanned<List>>) -> Checked<()> {
        for field in elements::<FieldPattern>(given, FIELDS)? {
            let (span, field) = (field.span(), field.into_inner());
            if self.fields.contains(&field) {
                return Err(twice(span, &field.text));
            }
            if let Some(other) = self.fields.iter().find(|other| other.leads_to(&field) || field.leads_to(other)) {
                let problem = format!("{other} and {field} cannot both be leaves; take one of them out");
                return Err(Fault::wrong(span, problem));
            }
            self.fits(&span, &field)?;
            self.fields.push(field);
        }
        Ok(())
    }

    fn take_fixed(&mut self, given: BTreeMap<Spanned<String>, Spanned<Scalar>>) -> Checked<()> {
        let mut patterns: Vec<FieldPattern> = Vec::with_capacity(given.len());
        for (at, scalar) in given {
            let span = at.span();
            limit(span.clone(), patterns.len() + 1, MANY)?;
            let wrong = |problem: String| Fault::wrong(span.clone(), problem);
            let pointer = Pointer::parse(at.get_ref()).map_err(|problem| wrong(problem.to_string()))?;
            let pattern = FieldPattern::parse(at.get_ref()).map_err(|problem| wrong(problem.to_string()))?;
            if let Scalar::Text(text) = scalar.get_ref()
                && (text.len() > FIXED_BYTES || !text.chars().all(is_plain))
            {
                let problem = format!("the host writes at most {FIXED_BYTES} bytes without invisible characters");
                return Err(Fault::wrong(scalar.span(), problem));
            }
            if let Some(field) = self.fields.iter().find(|field| collide(field, &pattern)) {
                return Err(wrong(format!(
                    "the host writes {pattern}, so {field} of `fields` has no room; take one out"
                )));
            }
            if let Some(other) = patterns.iter().find(|other| collide(other, &pattern)) {
                return Err(wrong(format!("{other} and {pattern} cannot both be leaves; take one of them out")));
            }
            self.fits(&span, &pattern)?;
            patterns.push(pattern);
            self.fixed.insert(pointer, scalar.into_inner());
        }
        Ok(())
    }

    /// Checks that the shape of the body has room for a leaf.
    fn fits(&self, span: &Range<usize>, field: &FieldPattern) -> Checked<()> {
        if !self.shape.has_parts() {
            return Ok(());
        }
        let problem = match field.part() {
            None => "a form is no array; begin with the name of a part".to_owned(),
            Some(part) if !FormPart::fits(part) => format!("{part:?} does not do as a name here: {}", FormPart::RULE),
            Some(part) => match (field.is_part(), self.json.iter().any(|json| json == part)) {
                (true, true) => format!("the part {part:?} is JSON; list what is in it, such as \"/{part}/…\""),
                (false, false) => format!("the part {part:?} has nothing in it; add it to `json` if its text is JSON"),
                _ => return Ok(()),
            },
        };
        Err(Fault::wrong(span.clone(), problem))
    }
}

/// Nothing is said of a body that is not there.
fn absent(table: &EndpointTable) -> Checked<()> {
    let lists = [&table.fields, &table.required, &table.json, &table.files];
    let list = lists.into_iter().flatten().find(|list| list.get_ref().len() > 0).map(Spanned::span);
    match list.or_else(|| table.fixed.keys().next().map(Spanned::span)) {
        None => Ok(()),
        Some(span) => Err(Fault::wrong(
            span,
            "there is no body; say what it is, body = \"json\", \"form\" or \"multipart\", or take this out",
        )),
    }
}

fn parts(given: Option<Spanned<List>>) -> Checked<Vec<Spanned<String>>> {
    let mut parts: Vec<Spanned<String>> = Vec::new();
    for part in elements::<Named<FormPart>>(given, MANY)? {
        let (span, name) = (part.span(), part.into_inner().0);
        if parts.iter().any(|other| *other.get_ref() == name) {
            return Err(twice(span, &name));
        }
        parts.push(Spanned::new(span, name));
    }
    Ok(parts)
}

/// Whether no document has leaves at both: one leads to the other, or takes an array for an object.
fn collide(one: &FieldPattern, other: &FieldPattern) -> bool {
    match one.tokens.iter().zip(&other.tokens).find(|(one, other)| one != other) {
        None => true,
        Some((FieldToken::Member(_), FieldToken::Member(_))) => false,
        Some(_) => true,
    }
}

fn uncovered(span: Range<usize>, field: &str) -> Fault {
    Fault::wrong(span, format!("{field:?} is not in `fields`, so no request could have it; add it there"))
}
