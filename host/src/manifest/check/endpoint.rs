//! The checks of endpoints: what is compared with the action can be compared, and nothing else names a conversation.

use std::{collections::BTreeSet, ops::Range};

use toml::Spanned;

use super::{BODY_BYTES, Checked, MANY, ask, body::Body, elements, settings::Settings, twice};
use crate::manifest::{
    Action, Bound, Endpoint, FieldPattern, HeaderTemplate, Method, Piece, UrlTemplate, Use,
    document::{ACTIONS_NOT_YET, EndpointTable, List},
    error::Fault,
    template::settable,
};

/// The most places where the conversation may stand.
const CONVERSATIONS: usize = 8;

/// Checks an endpoint.
pub(super) fn endpoint(mut table: EndpointTable, settings: &Settings) -> Checked<Endpoint> {
    settings.url(&table.url)?;
    let headers = settings.headers(std::mem::take(&mut table.headers))?;
    let may_set = may_set(table.may_set.take(), &headers)?;
    let body = Body::take(&mut table)?;
    let for_span = table.uses.span();
    let uses = uses(table.uses)?;
    let fetches = uses.contains(&Use::Action(Action::Fetch));

    let given = table.conversation.as_ref().map(Spanned::span);
    let mut bounds = Bounds { url: table.url.get_ref(), body: &body, seen: Vec::new() };
    let mut conversation = Vec::new();
    for bound in elements::<Bound>(table.conversation, CONVERSATIONS)? {
        conversation.push(bounds.check("conversation", bound)?);
    }
    let placed = uses.iter().find(|purpose| purpose.has_place());
    let unplaced = uses.iter().find(|purpose| matches!(purpose, Use::Handle | Use::Action(Action::Fetch)));
    match (placed, unplaced) {
        (Some(one), Some(other)) => {
            let (one, other) = (one.as_str(), other.as_str());
            let problem = format!("{one:?} is about a conversation and {other:?} is not; make two endpoints of it");
            return Err(Fault::wrong(for_span, problem));
        }
        (Some(purpose), None) if conversation.is_empty() => {
            let problem = format!(
                "a request for {:?} goes to the conversation of the action; say where it stands, such as \
                 conversation = [\"/chat_id\"]",
                purpose.as_str()
            );
            return Err(Fault::wrong(for_span, problem));
        }
        (None, Some(purpose)) if !conversation.is_empty() => {
            let problem =
                format!("{:?} is about no conversation that could be compared; take this out", purpose.as_str());
            return Err(Fault::wrong(given.unwrap_or(for_span), problem));
        }
        _ => {}
    }
    if let Some(thread) = table.thread.as_ref().filter(|_| conversation.is_empty()) {
        return Err(Fault::wrong(thread.span(), "a thread is part of a conversation; say where that is too"));
    }
    only_for(table.message.as_ref(), &uses, &[Action::Edit, Action::React, Action::Ask], "message")?;
    only_for(table.reply_to.as_ref(), &uses, &[Action::Send], "reply-to")?;
    only_for(table.text.as_ref(), &uses, &[Action::Send, Action::Edit, Action::Ask], "text")?;
    only_for(table.spoken.as_ref(), &uses, &[Action::Send, Action::Edit, Action::Ask], "spoken")?;
    only_for(table.buttons.as_ref(), &uses, &[Action::Ask], "buttons")?;
    only_for(table.emoji.as_ref(), &uses, &[Action::React], "emoji")?;
    only_for(table.reference.as_ref(), &uses, &[Action::Fetch], "reference")?;
    only_for(table.sent.as_ref(), &uses, &[Action::Send, Action::Ask], "sent")?;

    let thread = bounds.optional("thread", table.thread)?;
    let message = bounds.optional("message", table.message)?;
    let reply_to = bounds.optional("reply-to", table.reply_to)?;
    let reference = bounds.optional("reference", table.reference)?;
    let emoji = bounds.optional("emoji", table.emoji)?;
    let text = table.text.map(|text| bounds.leaf("text", text)).transpose()?;
    let mut spoken = Vec::new();
    for field in elements::<FieldPattern>(table.spoken, MANY)? {
        spoken.push(bounds.leaf("spoken", field)?);
    }
    let buttons = table.buttons.map(|buttons| ask::buttons(buttons, &mut bounds)).transpose()?;
    let values = ask::values(table.values, &mut bounds)?;

    let download = table.download.as_ref().is_some_and(|download| *download.get_ref());
    let is_get = *table.method.get_ref() == Method::Get;
    if fetches && reference.is_none() && !(download && is_get && !table.url.get_ref().variables().is_empty()) {
        return Err(Fault::wrong(
            for_span,
            "a request for \"fetch\" is about one attachment; say where its reference stands, such as reference = \
             \"/file_id\". Only a GET with variables and download = true can do without",
        ));
    }
    if let Some(max) = &table.max_bytes
        && !(1..=BODY_BYTES).contains(max.get_ref())
    {
        return Err(Fault::wrong(max.span(), format!("an answer has from 1 to {BODY_BYTES} bytes at most")));
    }
    if let Some(max) = table.max_bytes.as_ref().filter(|_| download) {
        return Err(Fault::wrong(max.span(), "a download has the limit of files; take this out"));
    }
    if let Some(sent) = table.sent.as_ref().filter(|_| download) {
        return Err(Fault::wrong(sent.span(), "a file names no message; take this or `download` out"));
    }
    let endpoint = Endpoint {
        name: table.name.into_inner().0,
        uses,
        method: table.method.into_inner(),
        headers,
        may_set,
        body: body.shape,
        fields: body.fields,
        required: body.required,
        json: body.json,
        files: body.files,
        fixed: body.fixed,
        values,
        url: table.url.into_inner(),
        conversation,
        thread,
        message,
        reply_to,
        text,
        spoken,
        buttons,
        emoji,
        reference,
        sent: table.sent.map(Spanned::into_inner),
        download,
        max_bytes: table.max_bytes.map(Spanned::into_inner),
    };
    ask::check(&endpoint, for_span).map(|()| endpoint)
}

fn uses(given: Spanned<List>) -> Checked<BTreeSet<Use>> {
    let span = given.span();
    let mut uses = BTreeSet::new();
    for purpose in elements::<Use>(Some(given), MANY)? {
        let (span, purpose) = (purpose.span(), purpose.into_inner());
        if let Use::Action(action) = purpose
            && ACTIONS_NOT_YET.contains(&action)
        {
            return Err(Fault::not_yet(span, format!("the action {:?}", action.as_str())));
        }
        if !uses.insert(purpose) {
            return Err(twice(span, purpose.as_str()));
        }
    }
    if uses.is_empty() {
        return Err(Fault::wrong(span, "say what it is for, such as for = [\"send\"]"));
    }
    Ok(uses)
}

fn may_set(given: Option<Spanned<List>>, headers: &[HeaderTemplate]) -> Checked<Vec<String>> {
    let mut names = Vec::new();
    for name in elements::<String>(given, MANY)? {
        let span = name.span();
        let name = settable(name.get_ref()).map_err(|problem| Fault::wrong(span.clone(), problem.to_string()))?;
        if headers.iter().any(|header| header.name == name) {
            let problem = format!("`headers` has {name:?}, so the host writes it; take it out here or there");
            return Err(Fault::wrong(span, problem));
        }
        if names.contains(&name) {
            return Err(twice(span, &name));
        }
        names.push(name);
    }
    Ok(names)
}

/// Refuses what no action of the endpoint could be compared with.
fn only_for<T>(given: Option<&Spanned<T>>, uses: &BTreeSet<Use>, actions: &[Action], word: &str) -> Checked<()> {
    let Some(given) = given else { return Ok(()) };
    if actions.iter().any(|action| uses.contains(&Use::Action(*action))) {
        return Ok(());
    }
    let actions: Vec<String> = actions.iter().map(|action| format!("{:?}", action.as_str())).collect();
    let problem = format!("`{word}` is for {}, and the endpoint is not; take it out", actions.join(" and "));
    Err(Fault::wrong(given.span(), problem))
}

/// What is compared with the action; each thing with one part of it.
pub(super) struct Bounds<'a> {
    url: &'a UrlTemplate,
    pub(super) body: &'a Body,
    seen: Vec<(&'static str, Bound)>,
}

impl Bounds<'_> {
    pub(super) fn check(&mut self, word: &'static str, bound: Spanned<Bound>) -> Checked<Bound> {
        let (span, bound) = (bound.span(), bound.into_inner());
        match &bound {
            Bound::Field(field) => {
                self.body.covers(&span, field)?;
                if field.part().is_some_and(|part| self.body.files.iter().any(|file| file == part)) {
                    return Err(Fault::wrong(span, format!("{field} is a file, which cannot be compared")));
                }
            }
            Bound::Variable(name) => self.variable(&span, word, name)?,
        }
        if let Some((other, _)) = self.seen.iter().find(|(_, seen)| *seen == bound) {
            let problem = format!("{bound} is compared as `{other}` already, and cannot be both; take one of them out");
            return Err(Fault::wrong(span, problem));
        }
        self.seen.push((word, bound.clone()));
        Ok(bound)
    }

    fn optional(&mut self, word: &'static str, bound: Option<Spanned<Bound>>) -> Checked<Option<Bound>> {
        bound.map(|bound| self.check(word, bound)).transpose()
    }

    pub(super) fn leaf(&mut self, word: &'static str, field: Spanned<FieldPattern>) -> Checked<FieldPattern> {
        let (span, field) = (field.span(), field.into_inner());
        self.check(word, Spanned::new(span, Bound::Field(field.clone()))).map(|_| field)
    }

    /// A variable is compared whole, so nothing that the adapter chooses may stand beside it.
    fn variable(&self, span: &Range<usize>, word: &str, name: &str) -> Checked<()> {
        let wrong = |problem: String| Err(Fault::wrong(span.clone(), problem));
        let is_it = |piece: &Piece| matches!(piece, Piece::Variable(variable) if variable == name);
        let mut parts = self.url.path.iter().chain(self.url.query.iter().map(|parameter| &parameter.value));
        let part = parts.find(|pieces| pieces.iter().any(is_it));
        match part {
            Some(pieces) if pieces.iter().filter(|piece| matches!(piece, Piece::Variable(_))).count() > 1 => {
                wrong(format!("{{{name}}} shares its part of the URL with another variable; put a `/` between them"))
            }
            Some(_) => Ok(()),
            None if self.url.rest.as_deref() != Some(name) => {
                wrong(format!("the URL has no variable {name:?}; write {{{name}}} there, or name one that it has"))
            }
            None if word == "reference" => Ok(()),
            None => wrong(format!("{{{name}*}} stands for many segments; an id is one: write {{{name}}}")),
        }
    }
}
