import type { ConnectionOptions, TlsOptions } from "node:tls";

/**
 * TLS 1.3's, and of TLS 1.2 only those with ECDHE and AEAD: the rest of it has no forward secrecy or a known weakness, and
 * RFC 9113 §9.2.2 forbids it to HTTP/2. AES-128 comes first, as it is the fastest where the processor knows AES.
 */
const ciphers = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** RFC 9113 §9.2.1 forbids both; renegotiation also lets a client make a server work for nothing. */
function forbiddenOptions(): number {
  const { constants } = process.getBuiltinModule("node:crypto");
  return constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION;
}

/** What `given` leaves open is decided for HTTP/2; what HTTP/2 forbids stays off whatever is given. */
export function serverTlsOptions(
  given: TlsOptions,
  protocols: readonly string[],
  handshakeTimeout: number,
): TlsOptions {
  return {
    minVersion: "TLSv1.2",
    ciphers,
    handshakeTimeout,
    ...given,
    ALPNProtocols: [...protocols],
    secureOptions: (given.secureOptions ?? 0) | forbiddenOptions(),
  };
}

/** The same for a client, which speaks nothing but HTTP/2. */
export function clientTlsOptions(given: ConnectionOptions): ConnectionOptions {
  return {
    minVersion: "TLSv1.2",
    ciphers,
    ...given,
    ALPNProtocols: ["h2"],
    secureOptions: (given.secureOptions ?? 0) | forbiddenOptions(),
  };
}
