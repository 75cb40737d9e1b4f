import type { Interceptor } from "@connectrpc/connect";
import { unauthenticated } from "@tercel/grpc/errors";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import { reflectionServices } from "@tercel/grpc/services";
import { callerKey, createServiceKeyGuard, type ServiceKeyGuardOptions } from "@tercel/interceptors/service-key";

/** Accepted keys, their metadata, and whether they are required. */
export interface ServiceKeyRules {
  readonly keys: ServiceKeyGuardOptions["keys"];
  /** Alternative metadata key, in addition to `x-service-key`. */
  readonly otherHeader: string;
  readonly allowCleartext: boolean;
  /** Whether calls without a key are rejected, except health checks. If tokens are accepted too, their rules decide instead. */
  readonly isRequired: boolean;
  readonly publicReflection: boolean;
}

/** Creates a guard for each metadata key, and an interceptor that rejects calls without a key. */
export function createServiceKeyGuards(rules: ServiceKeyRules): readonly Interceptor[] {
  const { keys, otherHeader, allowCleartext, isRequired, publicReflection } = rules;
  const identify = { keys, allowCleartext, identifyOnly: true };
  return [
    createServiceKeyGuard(identify),
    createServiceKeyGuard({ ...identify, header: otherHeader }),
    ...(isRequired ? [requireKey(publicReflection)] : []),
  ];
}

function requireKey(publicReflection: boolean): Interceptor {
  const open = new Set([
    "grpc.health.v1.Health",
    ...(publicReflection ? reflectionServices.map(({ typeName }) => typeName) : []),
  ]);
  return createHookedInterceptor({
    begin({ service, contextValues }) {
      if (contextValues.get(callerKey) !== undefined || open.has(service.typeName)) return;
      throw unauthenticated({
        message: "missing service key",
        reason: "KEY_MISSING",
        domain: "tercel.servicekey",
      });
    },
  });
}
