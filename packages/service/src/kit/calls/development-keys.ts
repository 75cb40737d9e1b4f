import { type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { createHookedInterceptor, readHeader } from "@tercel/grpc/hooks";
import type { AuthOptions } from "@tercel/interceptors/auth";
import { method as methodRule, service as serviceRule } from "@tercel/interceptors/gen/tercel/auth/v1/auth_pb.js";
import { callerKey } from "@tercel/interceptors/service-key";
import type { RunConfig } from "../run-config/run-config.ts";
import { developmentKey } from "../run-config/service-secret.ts";

/** Returns the names of workloads in access rules of the code or a proto, without patterns and names of certificates. */
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
 * Identifies the named services by their development keys. Other keys are ignored: the call then needs a token.
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
