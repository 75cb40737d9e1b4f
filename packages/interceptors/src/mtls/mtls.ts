import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { type ClientCertificate, callInfo } from "@tercel/grpc";
import { unauthenticated } from "@tercel/grpc/errors";
import { safeLog } from "@tercel/grpc/internal";
import type { Caller } from "../call/caller.ts";
import { callerRuleOptions, guardCallers } from "../call/guard-callers.ts";
import { methodPath } from "../call/method-path.ts";
import { logOption, type OptionsOf, readOptions, text, wallClockOption } from "../call/options.ts";
import { namesOfCertificate } from "./certificate-names.ts";

export const mtlsOptions = {
  ...callerRuleOptions,
  /** The domain in google.rpc.ErrorInfo. Default "tercel.mtls". */
  domain: text().or("tercel.mtls"),
  /** Receives the reasons for rejected certificates at level "debug". Default: standard error. */
  log: logOption(),
  /** For tests: milliseconds since 1970. Default `Date.now`. */
  wallClockMs: wallClockOption(),
};

export type MtlsOptions = OptionsOf<typeof mtlsOptions>;

const where = "createMtls";

/**
 * Creates a server interceptor that identifies workloads by their certificates, and admits those that the method's rule lists. The server must
 * request and verify certificates: `tls: { requestCert: true, ca }`. The names of a workload are the certificate's URIs, including SPIFFE ids,
 * and its DNS names as `dns:name`. The common name is ignored. Handlers get the caller with `callerKey`.
 *
 * A call without a verified certificate fails with UNAUTHENTICATED, a call of a workload that the rule does not list with PERMISSION_DENIED.
 * Calls over cleartext, and on servers that do not request certificates, have no certificate.
 *
 * @throws TypeError for an invalid option or rule, and for methods without a rule
 */
export function createMtls(options: MtlsOptions): Interceptor {
  const settings = readOptions(where, mtlsOptions, options);
  const { wallClockMs, domain } = settings;
  const log = safeLog(settings.log);
  // All calls of a connection have the same certificate object.
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

  function logRefusal(request: UnaryRequest | StreamRequest, reason: string, why: string): void {
    log.debug("certificate rejected", { method: methodPath(request), reason, why });
  }

  return guardCallers(where, settings, {
    domain,
    missing: () =>
      unauthenticated({ message: "the connection has no verified certificate", reason: "CERTIFICATE_MISSING", domain }),
    identify(request) {
      const certificate = request.contextValues.get(callInfo)?.peerTls?.certificate;
      if (certificate === undefined) return undefined;
      // TLS has checked the expiry only at the start of the connection, which may be long ago.
      if (wallClockMs() >= certificate.expiresAtMs) {
        const reason = "CERTIFICATE_EXPIRED";
        logRefusal(request, reason, `its fingerprint is ${certificate.fingerprint}`);
        throw unauthenticated({ message: "the certificate has expired", reason, domain });
      }
      const owner = ownerOf(certificate);
      if (typeof owner !== "string") return owner;
      const reason = "CERTIFICATE_INVALID";
      logRefusal(request, reason, owner);
      throw unauthenticated({ message: "the certificate does not identify a workload", reason, domain });
    },
  });
}
