import { type InferOutput, optional, pipe, record, strictObject, string, transform } from "valibot";
import { flag, port, text, wholeNumber } from "../values/basic-values.ts";
import { dropUndefined } from "../values/drop-undefined.ts";
import { duration } from "../values/duration.ts";
import type { Profile } from "./profile.ts";

const namePattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/;

/** Returns the schema of a service name. */
export function serviceName(options: { readonly description: string }) {
  return text({ ...options, expects: "a name of letters, digits, dots, - and _", pattern: namePattern });
}

/** `service`: name, addresses, and times of start and stop. */
export function serviceSection({ isProduction }: Profile) {
  return pipe(
    strictObject({
      name: optional(
        serviceName({ description: "Name of the service in discovery, logs, metrics and traces." }),
        "service",
      ),
      version: optional(text({ description: "Version in discovery and traces: `v1.4.0`." })),
      host: optional(
        text({ minLength: 1, expects: "a host or an address", description: "Host or address to listen on." }),
        isProduction ? "0.0.0.0" : "127.0.0.1",
      ),
      port: optional(
        port({
          description:
            "gRPC's port; if `communication.providers.grpc.port` is set, the port of HTTP: `/health`, `/ready` and the gateway. 0 chooses a free port.",
        }),
      ),
      advertise_host: optional(
        text({
          minLength: 1,
          expects: "a host or an address",
          description: "Host that discovery registers for this service.",
        }),
      ),
      metadata: optional(
        record(string(), text({ description: "Metadata of this instance in discovery, for example `zone`." })),
        {},
      ),
      insecure: optional(
        flag({
          description: "Allows cleartext: in the production profile, a service without TLS does not start otherwise.",
        }),
        false,
      ),
      workers: optional(wholeNumber(1, 1024, { description: "Number of worker processes." }), 1),
      start: optional(
        strictObject({
          wait: optional(
            duration({ description: "How long the start retries unavailable providers and registries." }),
            isProduction ? "60s" : "5s",
          ),
        }),
        {},
      ),
      drain: optional(
        duration({ description: "Time for calls to end when the service stops; then they are cancelled." }),
        "30s",
      ),
      propagation: optional(
        duration({
          description: "Delay between NOT_SERVING and the end of accepting calls, for balancers that poll the health.",
        }),
        isProduction ? "5s" : "0",
      ),
      stop_timeout: optional(duration({ minMs: 1, description: "Time for one provider to close." }), "10s"),
    }),
    transform(({ advertise_host: advertiseHost, start, drain, propagation, stop_timeout: stopTimeoutMs, ...rest }) =>
      dropUndefined({
        ...rest,
        advertiseHost,
        startWaitMs: start.wait,
        drainMs: drain,
        propagationMs: propagation,
        stopTimeoutMs,
      }),
    ),
  );
}

export type ServiceSection = InferOutput<ReturnType<typeof serviceSection>>;
