import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { type ClientCertificate, callInfo, type Log } from "@tercel/grpc";
import { unauthenticated } from "@tercel/grpc/errors";
import { refuseUnknownOptions, safeLog } from "@tercel/grpc/internal";
import type { Caller } from "../call/caller.ts";
import { type CallerRuleOptions, callerRuleOptionNames, guardCallers } from "../call/guard-callers.ts";
import { methodPath } from "../call/method-path.ts";
import { namesOfCertificate } from "./certificate-names.ts";

export interface MtlsOptions extends CallerRuleOptions {
  /** Stands as the domain in google.rpc.ErrorInfo. Default "tercel.mtls". */
  domain?: string;
  /** Hears at level "debug" why certificates are refused. Default: standard error. */
  log?: Log;
  /** For tests: milliseconds since 1970. Default `Date.now`. */
  wallClockMs?: () => number;
}

const where = "createMtls";

/**
 * A server interceptor that knows programs by their certificates, and lets in those that the method's rule names. The server has to
 * ask for certificates and verify them: `tls: { requestCert: true, ca }`. Names are the certificate's URIs, SPIFFE ids among them,
 * and its DNS names as `dns:name`; its common name is not looked at. Handlers find the caller under `callerKey`.
 *
 * Without a verified certificate a call fails with UNAUTHENTICATED, with one that is not enough with PERMISSION_DENIED. Cleartext,
 * and a server that does not ask, are the same as no certificate.
 *
 * @throws TypeError for an option or a rule that is wrong, and for methods without a rule
 */
export function createMtls(options: MtlsOptions): Interceptor {
  refuseUnknownOptions(where, options, [...callerRuleOptionNames, "domain", "log", "wallClockMs"]);
  const { wallClockMs = Date.now, domain = "tercel.mtls" } = options;
  const log = safeLog(options.log);
  // A certificate belongs to a connection, and its calls share what was found out.
  const owners = new WeakMap<ClientCertificate, Caller | string>();

  function ownerOf(certificate: ClientCertificate): Caller | string {
    let owner = owners.get(certificate);
    if (owner === undefined) {
      const found = namesOfCertificate(certificate);
      owner =
        "problem" in found
          ? found.problem
          : { kind: "certificate", name: found.names[0] as string, names: Object.freeze([...found.names]) };
      owners.set(certificate, owner);
    }
    return owner;
  }

  function tell(request: UnaryRequest | StreamRequest, reason: string, why: string): void {
    log.debug("a certificate was refused", { method: methodPath(request), reason, why });
  }

  return guardCallers(where, options, {
    domain,
    missing: () =>
      unauthenticated({ message: "the connection has no verified certificate", reason: "CERTIFICATE_MISSING", domain }),
    identify(request) {
      const certificate = request.contextValues.get(callInfo)?.peerTls?.certificate;
      if (certificate === undefined) return undefined;
      // It was good when the connection began, which may be long ago.
      if (wallClockMs() >= certificate.expiresAtMs) {
        const reason = "CERTIFICATE_EXPIRED";
        tell(request, reason, `its fingerprint is ${certificate.fingerprint}`);
        throw unauthenticated({ message: "the certificate has expired", reason, domain });
      }
      const owner = ownerOf(certificate);
      if (typeof owner !== "string") return owner;
      const reason = "CERTIFICATE_INVALID";
      tell(request, reason, owner);
      throw unauthenticated({ message: "the certificate does not say who this is", reason, domain });
    },
  });
}
