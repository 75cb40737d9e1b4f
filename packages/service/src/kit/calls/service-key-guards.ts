import type { Interceptor } from "@connectrpc/connect";
import { unauthenticated } from "@tercel/grpc/errors";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import { reflectionServices } from "@tercel/grpc/services";
import { callerKey, createServiceKeyGuard, type ServiceKeyGuardOptions } from "@tercel/interceptors/service-key";

/** Which keys count, where they may be, and what follows from a call without one. */
export interface ServiceKeyRules {
  readonly keys: ServiceKeyGuardOptions["keys"];
  /** The metadata that carries a key, next to `x-service-key`. */
  readonly otherHeader: string;
  readonly allowCleartext: boolean;
  /** Calls without a key are refused, health apart. Where tokens are accepted, too, their rules decide instead. */
  readonly isRequired: boolean;
  readonly publicReflection: boolean;
}

/** A guard for each place where a key may be, and what refuses calls without one. */
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
        message: "the call carries no service key",
        reason: "KEY_MISSING",
        domain: "tercel.servicekey",
      });
    },
  });
}
