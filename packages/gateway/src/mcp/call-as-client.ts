import type { DescMethod } from "@bufbuild/protobuf";
import type { GatewayHost, HttpExchange } from "@tercel/grpc/protocols";
import { LocalExchange, type LocalResponse } from "../calls/local-exchange.ts";
import { noExtras, Responder } from "../calls/responder.ts";
import { ConnectUnaryCalls } from "../connect/serve-connect.ts";

/** Headers that describe the client's request, not the call. */
const ofRequest =
  /^(?:content-.+|accept(?:-.+)?|connect-.+|mcp-.+|host|connection|transfer-encoding|expect|origin|te|upgrade)$/;

/** Calls a unary method for the client of another request. */
export function callAsClient(
  { host, defaultTimeoutMs }: { readonly host: GatewayHost; readonly defaultTimeoutMs: number },
  client: HttpExchange,
  method: DescMethod,
  json: Uint8Array,
  signal: AbortSignal,
): Promise<LocalResponse> {
  const path = `/${method.parent.typeName}/${method.name}`;
  const handler = host.methods.find(path);
  if (handler === undefined) return Promise.reject(new Error(`${path} is not served`));
  const kept = client.head.fields.filter((_, at, all) => !ofRequest.test(all[at - (at % 2)] as string));
  const fields = [...kept, "content-type", "application/json", "connect-timeout-ms", String(defaultTimeoutMs)];
  const exchange = new LocalExchange({ ...client.head, method: "POST", path, fields, memo: undefined }, client);
  signal.addEventListener("abort", () => exchange.cancel(), { once: true });
  new ConnectUnaryCalls({ host, handler }, "json", fields).serve(new Responder(exchange, noExtras));
  exchange.start(json);
  return exchange.response;
}
