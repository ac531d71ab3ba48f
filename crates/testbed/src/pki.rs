//! Keys and certificates of one control plane: its authority, its serving certificate, the key of service account tokens.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};

use crate::Error;

/// Where the files are.
#[derive(Debug, Clone)]
pub struct Pki {
    pub ca: PathBuf,
    /// The authority as PEM.
    pub ca_pem: String,
    pub serving_cert: PathBuf,
    pub serving_key: PathBuf,
    pub accounts_key: PathBuf,
    pub accounts_public: PathBuf,
}

/// Makes them anew in `dir`.
pub fn make(dir: &Path) -> Result<Pki, Error> {
    fs::create_dir_all(dir).map_err(Error::file("create", dir))?;
    let mut authority = CertificateParams::new(Vec::new()).map_err(Error::Keys)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    authority
        .distinguished_name
        .push(DnType::CommonName, "testbed");
    let authority =
        CertifiedIssuer::self_signed(authority, KeyPair::generate().map_err(Error::Keys)?)
            .map_err(Error::Keys)?;

    let names = ["localhost", "kubernetes.default.svc", "127.0.0.1"].map(String::from);
    let mut serving = CertificateParams::new(names).map_err(Error::Keys)?;
    serving
        .distinguished_name
        .push(DnType::CommonName, "kube-apiserver");
    serving.use_authority_key_identifier_extension = true;
    let serving_key = KeyPair::generate().map_err(Error::Keys)?;
    let serving = serving
        .signed_by(&serving_key, &authority)
        .map_err(Error::Keys)?;
    let accounts = KeyPair::generate().map_err(Error::Keys)?;

    let write = |name: &str, text: String| {
        let path = dir.join(name);
        fs::write(&path, text)
            .map_err(Error::file("write", &path))
            .map(|()| path)
    };
    Ok(Pki {
        ca: write("ca.crt", authority.pem())?,
        ca_pem: authority.pem(),
        serving_cert: write("serving.crt", serving.pem())?,
        serving_key: write("serving.key", serving_key.serialize_pem())?,
        accounts_key: write("accounts.key", accounts.serialize_pem())?,
        accounts_public: write("accounts.pub", accounts.public_key_pem())?,
    })
}
