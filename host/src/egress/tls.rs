//! TLS as all clients of the process share it: the system's certificate authorities, read when first needed.

use std::sync::{Arc, LazyLock};

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::sync::OnceCell;

/// The process's own; its authorities are read once.
static SYSTEM: LazyLock<Tls> = LazyLock::new(|| Tls(Arc::new(OnceCell::new())));

/// A configuration of TLS that is made when the first connection needs it. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub struct Tls(Arc<OnceCell<Arc<ClientConfig>>>);

impl Tls {
    /// With the system's certificate authorities, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR` in their place.
    #[must_use]
    pub fn system() -> Self {
        SYSTEM.clone()
    }

    /// With a configuration that is there already.
    #[must_use]
    pub fn with(config: ClientConfig) -> Self {
        Self(Arc::new(OnceCell::new_with(Some(Arc::new(config)))))
    }

    /// The configuration. What fails now is tried again the next time.
    ///
    /// # Errors
    /// Words for the user: no certificate authority can be read.
    pub(super) async fn config(&self) -> Result<Arc<ClientConfig>, String> {
        self.0.get_or_try_init(system_config).await.cloned()
    }
}

async fn system_config() -> Result<Arc<ClientConfig>, String> {
    let broken = |_| NO_ROOTS.to_owned();
    tokio::task::spawn_blocking(|| config_with(&rustls_native_certs::load_native_certs().certs))
        .await
        .map_err(broken)?
}

const NO_ROOTS: &str = "no certificate authority can be read, so no server can be trusted: install the system's \
                        CA certificates (often the package `ca-certificates`), or name a file of them in SSL_CERT_FILE";

/// A configuration that trusts these authorities, those of them that can be read.
fn config_with(certificates: &[rustls::pki_types::CertificateDer<'static>]) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates.iter().cloned());
    if roots.is_empty() {
        return Err(NO_ROOTS.to_owned());
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_authority_there_is_no_configuration_and_the_reason_says_what_to_do() {
        let junk = vec![rustls::pki_types::CertificateDer::from(vec![1, 2, 3])];
        for certificates in [Vec::new(), junk] {
            let refused = config_with(&certificates).err();
            assert!(refused.is_some_and(|reason| reason.contains("SSL_CERT_FILE")));
        }
    }
}
