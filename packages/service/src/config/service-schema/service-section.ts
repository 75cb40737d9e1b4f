import { description, type InferOutput, optional, pipe, record, strictObject, string, transform } from "valibot";
import { flag, port, text, wholeNumber } from "../values/basic-values.ts";
import { dropUndefined } from "../values/drop-undefined.ts";
import { duration } from "../values/duration.ts";
import type { Profile } from "./profile.ts";

const namePattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/;

/** A setting that is the name of a service. */
export function serviceName(options: { readonly description: string }) {
  return text({ ...options, expects: "a name of letters, digits, dots, - and _", pattern: namePattern });
}

/** `service`: who this is, where it listens, how long it takes to start and to stop. */
export function serviceSection({ isProduction }: Profile) {
  return pipe(
    strictObject({
      name: optional(
        serviceName({ description: "How other services find this one, and how logs, metrics and traces name it." }),
        "service",
      ),
      version: optional(text({ description: "What discovery and traces say: `v1.4.0`." })),
      host: optional(
        text({ minLength: 1, expects: "a host or an address", description: "The interface to listen on." }),
        isProduction ? "0.0.0.0" : "127.0.0.1",
      ),
      port: optional(
        port({
          description:
            "gRPC's port; where `communication.providers.grpc.port` is set, the port of HTTP: `/health`, `/ready` and the gateway. 0 picks a free one.",
        }),
      ),
      advertise_host: optional(
        text({
          minLength: 1,
          expects: "a host or an address",
          description: "The host under which others reach this service, for discovery.",
        }),
      ),
      metadata: optional(
        pipe(record(string(), text()), description("What discovery says about this instance, for example `zone`.")),
        {},
      ),
      insecure: optional(
        flag({
          description: "Cleartext is meant: in the production profile a service without TLS does not start otherwise.",
        }),
        false,
      ),
      workers: optional(wholeNumber(1, 1024, { description: "Processes that serve." }), 1),
      start: optional(
        strictObject({
          wait: optional(
            duration({ description: "How long to try providers and registries that are away." }),
            isProduction ? "60s" : "5s",
          ),
        }),
        {},
      ),
      drain: optional(
        duration({ description: "How long calls may take to end once the service stops; then they are cancelled." }),
        "30s",
      ),
      propagation: optional(
        duration({
          description: "From NOT_SERVING to the end of accepting calls: the time that polling balancers take.",
        }),
        isProduction ? "5s" : "0",
      ),
      stop_timeout: optional(duration({ minMs: 1, description: "How long one provider may take to close." }), "10s"),
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
