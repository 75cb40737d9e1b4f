import type { ConnectError, Interceptor } from "@connectrpc/connect";
import type { GatewayOptions } from "@tercel/gateway";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import type { Gateway } from "@tercel/grpc/protocols";
import { errorHttpStatus } from "../../errors/error-http-status.ts";
import type { OwnGatewayOptions } from "../definition/own-gateway-options.ts";
import { type AnswerPage, createPageFallback } from "../observation/observation.ts";
import type { RunConfig } from "../run-config/run-config.ts";

/**
 * Creates the gateway from configuration and code, with the pages of its port; undefined, and not loaded, if it is not served.
 *
 * Rejects with the error of `createGateway` for invalid options.
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

/** Creates a server interceptor for errors with an HTTP status; none without a gateway. */
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

/** Returns the CORS options; the configuration takes precedence over code, since origins depend on the deployment. */
function corsOf(
  { origins, credentials }: NonNullable<RunConfig["gateway"]>["cors"],
  own: GatewayOptions["cors"],
): GatewayOptions["cors"] {
  if (origins.length === 0) return own;
  return { ...own, origins: origins.includes("*") ? "*" : origins, credentials };
}
