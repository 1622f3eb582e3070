//! TLS with certificates made for these tests (`certificates/README.md`).

use std::{io::Write as _, net::IpAddr, pin::Pin};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig, ServerConnection,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use super::*;

const AUTHORITY: &[u8] = include_bytes!("certificates/authority.pem");
const PLATFORM: &[u8] = include_bytes!("certificates/platform.pem");
const PLATFORM_KEY: &[u8] = include_bytes!("certificates/platform.key");

/// All names are this machine.
struct Here;

impl Resolve for Here {
    fn resolve(&self, _: String) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

/// Answers so many connections, one request each, with the platform's certificate.
fn server(connections: usize) -> u16 {
    let certificate = CertificateDer::from_pem_slice(PLATFORM).unwrap();
    let key = PrivateKeyDer::from_pem_slice(PLATFORM_KEY).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for _ in 0..connections {
            let (mut tcp, _) = listener.accept().unwrap();
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
            // The client may refuse the certificate; then nothing is written.
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecure");
            let _ = stream.flush();
            // Until the client closes: an earlier end would destroy what is on its way.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    port
}

fn trusting(roots: &[&[u8]]) -> Tls {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(CertificateDer::from_pem_slice(root).unwrap()).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth();
    Tls::with(config)
}

async fn ask(host: &str, port: u16, tls: &Tls) -> Result<Response, TransportError> {
    let url = Url::parse(&format!("https://{host}:{port}/")).unwrap();
    let named = [&url].into_iter().collect();
    let client = Client::with(named, tls, &(Arc::new(Here) as Arc<dyn Resolve>));
    send(&client, get(&url)).await
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_is_accepted_for_its_name() {
    let port = server(1);
    assert_eq!(ask("platform.example", port, &trusting(&[AUTHORITY])).await.unwrap().body, b"secure");
}

#[tokio::test]
async fn any_other_certificate_is_not_and_the_reason_is_told() {
    let port = server(3);
    // Even where the user names the address.
    for (host, tls, reason) in [
        ("platform.example", trusting(&[]), "not from an authority"),
        ("other.example", trusting(&[AUTHORITY]), "for another name"),
        ("127.0.0.1", trusting(&[AUTHORITY]), "for another name"),
    ] {
        let error = ask(host, port, &tls).await.unwrap_err();
        assert!(matches!(&error, TransportError::Unreachable(text) if text.contains(reason)), "{host}: {error:?}");
        assert!(!error.to_string().contains("example") && error.is_unsent(), "{error}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_where_tls_is_asked_for() {
    let mut server = super::server::Server::saying(super::server::ok("plain"), super::server::Then::Close).await;
    let port = server.url.port().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    });
    let error = ask("platform.example", silent, &trusting(&[AUTHORITY])).await.unwrap_err();
    assert!(matches!(error, TransportError::Unreachable(_)), "{error:?}");
    assert!(server.taken.try_recv().is_err(), "{port}");
}
