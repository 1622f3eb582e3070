//! The checks of what the user sets, of the templates that it goes into, and of what holds for a whole platform.

use std::{collections::BTreeMap, ops::Range};

use toml::Spanned;

use super::{Checked, MANY, limit, platform::Owner, twice};
use crate::manifest::{
    Base, Burst, ConfigItem, ErrorShape, HeaderTemplate, Piece, SecretItem, TextLimit, UrlTemplate,
    document::{BurstTable, ConfigTable, ErrorsTable, HeaderTable, NamedTables, SecretTable, TextLimitTable},
    error::Fault,
    shapes::CONFIG_BYTES,
    template::base_url,
};

/// The most headers of a request.
const HEADERS: usize = 16;
/// The longest text limit, in its own unit.
const TEXT_MOST: u32 = 1_000_000;
/// The longest burst, in milliseconds.
const BURST_MS: u32 = 60_000;

/// What the user sets, by name.
#[derive(Debug, Default)]
pub(super) struct Settings {
    config: BTreeMap<String, ConfigItem>,
    secrets: BTreeMap<String, SecretItem>,
    /// Where the defaults stand.
    defaults: BTreeMap<String, Range<usize>>,
}

impl Settings {
    /// Checks the tables of settings and of secrets.
    pub(super) fn read(
        config: NamedTables<ConfigTable>,
        secrets: NamedTables<SecretTable>,
        owner: &Owner<'_>,
    ) -> Checked<Self> {
        let mut settings = Self::default();
        if let Some(tables) = config {
            limit(tables.span(), tables.get_ref().len(), MANY)?;
            for (name, table) in tables.into_inner() {
                let name = name.into_inner().0;
                if let Some(default) = &table.default {
                    settings.defaults.insert(name.clone(), default.span());
                }
                settings.config.insert(name, config_item(table)?);
            }
        }
        if let Some(tables) = secrets {
            limit(tables.span(), tables.get_ref().len(), MANY)?;
            for (name, table) in tables.into_inner() {
                let env = table.env.span();
                let item = secret_item(table, owner)?;
                if settings.secrets.values().any(|other| other.env == item.env) {
                    return Err(twice(env, &item.env));
                }
                settings.secrets.insert(name.into_inner().0, item);
            }
        }
        Ok(settings)
    }

    /// The items of both.
    pub(super) fn into_items(self) -> (BTreeMap<String, ConfigItem>, BTreeMap<String, SecretItem>) {
        (self.config, self.secrets)
    }

    /// Checks that everything in a URL exists, and that what the user has not chosen leads to a public host over TLS.
    pub(super) fn url(&self, url: &Spanned<UrlTemplate>) -> Checked<()> {
        let span = url.span();
        let url = url.get_ref();
        if let Base::Config(name) = &url.base {
            let default = self.config(name, &span)?.default.as_ref().map(|default| base_url(default));
            if let Some(Err(problem)) = default {
                return Err(Fault::wrong(self.defaults.get(name).cloned().unwrap_or(span), problem.to_string()));
            }
        }
        url.pieces().try_for_each(|piece| self.piece(piece, &span))
    }

    /// Checks headers.
    pub(super) fn headers(&self, table: HeaderTable) -> Checked<Vec<HeaderTemplate>> {
        let mut headers: Vec<HeaderTemplate> = Vec::with_capacity(table.len());
        for (name, value) in table {
            let header = HeaderTemplate::parse(name.get_ref(), value.get_ref())
                .map_err(|problem| Fault::wrong(value.span(), problem.to_string()))?;
            if headers.iter().any(|other| other.name == header.name) {
                return Err(twice(name.span(), &header.name));
            }
            limit(name.span(), headers.len() + 1, HEADERS)?;
            header.value.iter().try_for_each(|piece| self.piece(piece, &value.span()))?;
            headers.push(header);
        }
        Ok(headers)
    }

    fn config(&self, name: &str, span: &Range<usize>) -> Checked<&ConfigItem> {
        let missing = || format!("there is no setting {name:?}; add [config.{name}], or name one that is there");
        self.config.get(name).ok_or_else(|| Fault::wrong(span.clone(), missing()))
    }

    fn piece(&self, piece: &Piece, span: &Range<usize>) -> Checked<()> {
        match piece {
            Piece::Config(name) => self.config(name, span).map(|_| ()),
            Piece::Secret(name) if !self.secrets.contains_key(name) => Err(Fault::wrong(
                span.clone(),
                format!("there is no secret {name:?}; add [secrets.{name}] with its `env`, or name one that is there"),
            )),
            _ => Ok(()),
        }
    }
}

fn config_item(table: ConfigTable) -> Checked<ConfigItem> {
    let span = table.default.as_ref().map(Spanned::span).unwrap_or_default();
    let item = ConfigItem {
        default: table.default.map(Spanned::into_inner),
        summary: table.summary.map(|line| line.0),
        pattern: table.pattern,
    };
    if item.default.as_ref().is_some_and(|default| !item.takes(default)) {
        let shape =
            format!("one line of at most {CONFIG_BYTES} bytes without invisible characters, that matches `pattern`");
        return Err(Fault::wrong(span, format!("the default is no value that the user could set: {shape}")));
    }
    Ok(item)
}

fn secret_item(table: SecretTable, owner: &Owner<'_>) -> Checked<SecretItem> {
    let env = &table.env.get_ref().0;
    if let Owner::Adapter(name) = owner {
        let begin = name.variable_prefix();
        if env.strip_prefix(&*begin).is_none_or(str::is_empty) {
            return Err(Fault::wrong(
                table.env.span(),
                format!(
                    "{env:?} might be a secret of something else; an adapter's own begin with its name: {begin}TOKEN"
                ),
            ));
        }
    }
    Ok(SecretItem { env: env.clone(), summary: table.summary.map(|line| line.0), pattern: table.pattern })
}

/// Checks the limit of texts.
pub(super) fn text_limit(table: Spanned<TextLimitTable>) -> Checked<TextLimit> {
    let TextLimitTable { max, unit } = table.into_inner();
    if !(1..=TEXT_MOST).contains(max.get_ref()) {
        return Err(Fault::wrong(max.span(), format!("a text has from 1 to {TEXT_MOST} units at most")));
    }
    Ok(TextLimit { max: max.into_inner(), unit })
}

/// Checks what belongs together.
pub(super) fn burst(table: Spanned<BurstTable>) -> Checked<Burst> {
    let BurstTable { quiet_ms: quiet, longest_ms: longest } = table.into_inner();
    if *quiet.get_ref() == 0 || *quiet.get_ref() > *longest.get_ref() {
        return Err(Fault::wrong(
            quiet.span(),
            "it is from 1 to `longest-ms`; without `burst` each message is an event",
        ));
    }
    if *longest.get_ref() > BURST_MS {
        return Err(Fault::wrong(longest.span(), format!("an event waits for others at most {BURST_MS} milliseconds")));
    }
    Ok(Burst { quiet_ms: quiet.into_inner(), longest_ms: longest.into_inner() })
}

/// Checks what answers that say no look like.
pub(super) fn errors(table: Spanned<ErrorsTable>) -> Checked<ErrorShape> {
    let span = table.span();
    let ErrorsTable { retry_after, description } = table.into_inner();
    if retry_after.is_none() && description.is_none() {
        return Err(Fault::wrong(span, "it says nothing; give it `retry-after` or `description`, or take it out"));
    }
    Ok(ErrorShape { retry_after, description })
}
