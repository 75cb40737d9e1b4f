/** The identity in a peer's certificate. The common name is left out, because certificate authorities need not verify it. */
export interface PeerCertificate {
  /** Uniform resource identifiers among the subject alternative names, as the certificate has them (RFC 5280 §4.2.1.6). */
  readonly uris: readonly string[];
  /** DNS names among the subject alternative names, in lower case. */
  readonly dnsNames: readonly string[];
  /** Whether it may sign others, which the certificate of a program may not. */
  readonly isAuthority: boolean;
  /** Milliseconds since 1970. A connection may outlive the certificate it was opened with. */
  readonly expiresAtMs: number;
  /** SHA-256 of the whole certificate in hexadecimal, for logs. */
  readonly fingerprint: string;
}

/** What TLS knows about the other end. */
export interface PeerTls {
  /** Undefined unless the peer has shown a certificate, and one that was verified. */
  readonly certificate: PeerCertificate | undefined;
}
