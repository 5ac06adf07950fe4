//! How a tool reaches a running gateway, and what its answers mean for the exit code.

use crate::context::read_file;
use crate::exit::{CliError, Exit, Result};
use chartroll_client::connect::Connection;
use chartroll_gateway::config::ConfigError;
use chartroll_gateway::doors::{CallError, Calling, CallingError};
use chartroll_gateway::service::GatewayError;
use clap::Args;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// How to reach a running gateway.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct WayArgs {
    /// Address of the gateway's gRPC door.
    #[arg(long, value_name = "URL", env = "CHARTROLL_GATEWAY")]
    pub(crate) to: Option<String>,
    /// File with our token.
    #[arg(long, value_name = "FILE", env = "CHARTROLL_SENDER_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// PEM of the authority behind the gateway's certificate.
    #[arg(long, value_name = "FILE", env = "CHARTROLL_SENDER_CA")]
    gateway_ca: Option<PathBuf>,
    /// PEM of our certificate.
    #[arg(long, value_name = "FILE", env = "CHARTROLL_SENDER_CERT", requires = "sender_cert_key")]
    sender_cert: Option<PathBuf>,
    /// PEM of its key.
    #[arg(long, value_name = "FILE", env = "CHARTROLL_SENDER_CERT_KEY", requires = "sender_cert")]
    sender_cert_key: Option<PathBuf>,
}

impl WayArgs {
    /// The way; nobody is asked yet.
    pub(crate) fn open(&self) -> Result<Calling> {
        let url = self.to.clone().ok_or_else(|| {
            CliError::usage("which gateway? give --to or set CHARTROLL_GATEWAY to the address of its gRPC door")
        })?;
        let read = |path: &Option<PathBuf>| path.as_deref().map(read_file).transpose();
        let identity = read(&self.sender_cert)?.zip(read(&self.sender_cert_key)?);
        let connection = Connection { url, authority: read(&self.gateway_ca)?, identity, timeout_ms_max: 0 };
        let token = read(&self.token_file)?.map(Zeroizing::new);
        let token = token.as_ref().map(|bytes| str::from_utf8(bytes)).transpose();
        let token = token.map_err(|_| CliError::usage("the token is not text"))?;
        Ok(Calling::new(&connection, token)?)
    }
}

impl From<CallingError> for CliError {
    fn from(error: CallingError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<CallError> for CliError {
    fn from(error: CallError) -> Self {
        let exit = match &error {
            CallError::Refused { .. } | CallError::Unknown => Exit::Refused,
            CallError::Busy(_) | CallError::Unreachable(_) => Exit::Unreachable,
            _ => Exit::Internal,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<GatewayError> for CliError {
    fn from(error: GatewayError) -> Self {
        let exit = if matches!(error, GatewayError::Config(_)) { Exit::Usage } else { Exit::Internal };
        Self::new(exit, error.to_string())
    }
}
