/** OpenSSL's words for what two ends of a connection see that do not speak the same protocol. */
const clientReasons: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER:
    "the server responded to the TLS handshake in cleartext: it does not speak TLS on this port",
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    "the server responded to the TLS handshake in cleartext: it does not speak TLS on this port",
  ERR_SSL_NO_APPLICATION_PROTOCOL: "the server does not speak HTTP/2 over TLS: it refused ALPN h2",
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: "the server does not speak HTTP/2 over TLS: it refused ALPN h2",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "the server requires a client certificate, and none was sent",
};

const serverReasons: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: "the client sent cleartext to a TLS port",
  ERR_SSL_HTTP_REQUEST: "the client sent an HTTP request in cleartext to a TLS port",
  ERR_SSL_HTTPS_PROXY_REQUEST: "the client sent an HTTP request in cleartext to a TLS port",
  ERR_SSL_NO_APPLICATION_PROTOCOL: "the client does not speak HTTP/2 over TLS: it did not offer ALPN h2",
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "the client sent no certificate, and one is required",
};

/** An error of `node:tls`; `reason` is OpenSSL's, without its source lines. */
interface TlsError extends Error {
  readonly code?: string;
  readonly reason?: unknown;
}

/** RFC 8446 §6.2: what a peer sends that does not accept the certificate it was shown. */
const certificateAlert =
  /_ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(REVOKED|EXPIRED|UNKNOWN))$/;

/** Returns the error with a text for people where its code says more than OpenSSL's words. */
export function explainClientTlsError(error: TlsError): Error {
  const text = clientReasons[error.code ?? ""] ?? opensslReason(error, "the server refused the client's certificate");
  return text === undefined ? error : Object.assign(new Error(text, { cause: error }), { code: error.code });
}

/** As `explainClientTlsError`, while the handshake is under way: a cleartext server that does not understand the handshake closes. */
export function explainHandshakeError(error: TlsError): Error {
  if (error.code !== "ECONNRESET") return explainClientTlsError(error);
  const text = "the server closed the connection during the TLS handshake: it may not speak TLS on this port";
  return Object.assign(new Error(text, { cause: error }), { code: error.code });
}

/** Why a handshake with a client failed; undefined when the client only left, as probes of a port do. */
export function handshakeFailure(error: TlsError): string | undefined {
  return serverReasons[error.code ?? ""] ?? opensslReason(error, "the client refused the server's certificate");
}

function opensslReason({ code = "", reason }: TlsError, certificateRefused: string): string | undefined {
  if (!code.startsWith("ERR_SSL_") || typeof reason !== "string") return undefined;
  return `${certificateAlert.test(code) ? certificateRefused : "the TLS handshake failed"}: ${reason}`;
}
