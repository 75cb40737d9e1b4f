import { type InferOutput, optional, pipe, record, strictObject, string, transform } from "valibot";
import { choice, share, text, url } from "../values/basic-values.ts";
import { dropUndefined } from "../values/drop-undefined.ts";
import { listenAddress } from "../values/listen-address.ts";
import type { Profile } from "./profile.ts";

const level = (description: string) => choice(["debug", "info", "warn", "error"], { description, reload: true });

/** `logging.providers.console` */
export const consoleConfig = strictObject({
  level: optional(level("What is less important is not logged."), "info"),
  format: optional(
    choice(["auto", "pretty", "json"], {
      description: "`auto` is pretty on a terminal in development, and JSON otherwise.",
    }),
    "auto",
  ),
});

/** `logging.providers.pino` */
export const pinoConfig = strictObject({ level: optional(level("What is less important is not logged."), "info") });

/** `monitoring.providers.prometheus` */
export function prometheusConfig({ isProduction }: Profile) {
  return strictObject({
    endpoint: optional(
      listenAddress({ description: "Where metrics can be read. With gRPC's port, that one answers over HTTP/1.1." }),
      isProduction ? ":9464" : "127.0.0.1:9464",
    ),
    path: optional(text({ pattern: /^\//, expects: "a path that begins with /" }), "/metrics"),
  });
}

const jaegerPort = "14268";

/** Where traces go by OTLP: Jaeger's own port leads to the one where it takes OTLP, and a URL without a path gets OTLP's. */
export function otlpUrl(endpoint: string): string {
  const target = new URL(endpoint);
  if (target.port === jaegerPort) {
    target.port = "4318";
    target.pathname = "/v1/traces";
  } else if (target.pathname === "/") {
    target.pathname = "/v1/traces";
  }
  return target.href;
}

/** Whether an endpoint is of Jaeger's own protocol, which is not spoken any more. */
export function isJaegerEndpoint(endpoint: string): boolean {
  return URL.canParse(endpoint) && new URL(endpoint).port === jaegerPort;
}

/** `monitoring.providers.otlp`, and `jaeger`, which takes OTLP since 1.35. */
export function otlpConfig({ isProduction }: Profile) {
  return pipe(
    strictObject({
      endpoint: optional(
        url(["http", "https"], { description: "Where traces are sent by OTLP over HTTP." }),
        "http://localhost:4318/v1/traces",
      ),
      service_name: optional(
        text({ minLength: 1, description: "How traces name this service. Default: `service.name`." }),
      ),
      sample_rate: optional(
        share({ reload: true, description: "The share of traces that begin here and are recorded." }),
        isProduction ? 0.1 : 1,
      ),
      headers: optional(
        record(string(), text({ secret: true, description: "Headers of the exporter's requests, such as a key." })),
        {},
      ),
    }),
    transform(({ endpoint, service_name: serviceName, sample_rate: sampleRate, headers }) =>
      dropUndefined({ url: otlpUrl(endpoint), sampleRate, headers, serviceName }),
    ),
  );
}

export type ConsoleConfig = InferOutput<typeof consoleConfig>;
export type PrometheusConfig = InferOutput<ReturnType<typeof prometheusConfig>>;
export type OtlpConfig = InferOutput<ReturnType<typeof otlpConfig>>;
