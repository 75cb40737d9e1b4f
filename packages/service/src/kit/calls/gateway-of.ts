import type { ConnectError, Interceptor } from "@connectrpc/connect";
import type { GatewayOptions } from "@tercel/gateway";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import type { Gateway } from "@tercel/grpc/protocols";
import { errorHttpStatus } from "../../errors/error-http-status.ts";
import type { OwnGatewayOptions } from "../definition/own-gateway-options.ts";
import { type AnswerPage, createPageFallback } from "../observation/observation.ts";
import type { RunConfig } from "../run-config/run-config.ts";

/**
 * The gateway as configuration and code say, with the pages of its port on it; undefined where it is not served, and then it is not loaded.
 *
 * Rejects with what `createGateway` throws for options that cannot be used.
 */
export async function createServiceGateway(
  { service, gateway: section }: RunConfig,
  { cors: ownCors, openapi: ownOpenapi, fallback, ...own }: OwnGatewayOptions = {},
  pages: AnswerPage = () => undefined,
): Promise<Gateway | undefined> {
  if (section === undefined) return undefined;
  const { createGateway } = await import("@tercel/gateway");
  const { openapi, protocols, unknownQuery } = section;
  const cors = corsOf(section.cors, ownCors);
  const { path, docs } = openapi;
  const version = service.version === "" ? {} : { version: service.version };
  return createGateway({
    ...own,
    protocols,
    unknownQuery,
    ...(cors !== undefined && { cors }),
    ...(openapi.enabled && { openapi: { title: service.name, ...version, path, docs, ...ownOpenapi } }),
    fallback: createPageFallback(pages, fallback),
  });
}

/** A server interceptor for errors that have an HTTP status of their own; none where there is no gateway. */
export async function createHttpStatuses({ gateway }: RunConfig): Promise<readonly Interceptor[]> {
  if (gateway === undefined) return [];
  const { withHttpStatus } = await import("@tercel/gateway");
  const interceptor = createHookedInterceptor({
    onError(_request, _state, error) {
      const status = errorHttpStatus(error);
      return status === undefined ? error : withHttpStatus(error as ConnectError, status);
    },
  });
  return [interceptor];
}

/** Which pages may call is a matter of the deployment: where the configuration says so, its word counts. */
function corsOf(
  { origins, credentials }: NonNullable<RunConfig["gateway"]>["cors"],
  own: GatewayOptions["cors"],
): GatewayOptions["cors"] {
  if (origins.length === 0) return own;
  return { ...own, origins: origins.includes("*") ? "*" : origins, credentials };
}
