import { type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { createHookedInterceptor, readHeader } from "@tercel/grpc/hooks";
import type { AuthOptions } from "@tercel/interceptors/auth";
import { method as methodRule, service as serviceRule } from "@tercel/interceptors/gen/tercel/auth/v1/auth_pb.js";
import { callerKey } from "@tercel/interceptors/service-key";
import type { RunConfig } from "../run-config/run-config.ts";
import { developmentKey } from "../run-config/service-secret.ts";

/** The names of workloads that rules let in, in code or in a proto. Patterns and certificates' names are not among them. */
export function namedCallers(services: readonly DescService[], access: AuthOptions["methods"] = {}): readonly string[] {
  const inCode = Object.values(access).flatMap((rule) => (typeof rule === "object" ? (rule.callers ?? []) : []));
  const inProtos = services.flatMap((service) => [
    ...(hasOption(service, serviceRule) ? getOption(service, serviceRule).callers : []),
    ...service.methods.flatMap((method) =>
      hasOption(method, methodRule) ? getOption(method, methodRule).callers : [],
    ),
  ]);
  return [...new Set([...inCode, ...inProtos])].filter((name) => /^[\w.-]+$/.test(name));
}

/**
 * Identifies the named services by their keys of development. Any other key is as none: the service that shows it may be known to others, and
 * its call has to pass by a token.
 */
export function identifyInDevelopment(
  names: readonly string[],
  config: Pick<RunConfig, "environment" | "secret">,
): Interceptor {
  const nameOf = new Map(names.map((name) => [developmentKey(config, name), name]));
  return createHookedInterceptor({
    begin(request) {
      const name = nameOf.get(readHeader(request, "x-service-key") ?? "");
      if (name !== undefined) request.contextValues.set(callerKey, { kind: "service-key", name, names: [name] });
    },
  });
}
