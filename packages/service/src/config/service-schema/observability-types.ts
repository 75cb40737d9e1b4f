import { type InferOutput, optional, pipe, record, strictObject, string, transform } from "valibot";
import { choice, share, text, url } from "../values/basic-values.ts";
import { dropUndefined } from "../values/drop-undefined.ts";
import { listenAddress } from "../values/listen-address.ts";
import type { Profile } from "./profile.ts";

const level = (description: string) => choice(["debug", "info", "warn", "error"], { description, reload: true });

/** `logging.providers.console` */
export const consoleConfig = strictObject({
  level: optional(level("Minimum level of logged lines."), "info"),
  format: optional(
    choice(["auto", "pretty", "json"], {
      description: "`auto` is pretty on a terminal in development, otherwise JSON.",
    }),
    "auto",
  ),
});

/** `logging.providers.pino` */
export const pinoConfig = strictObject({ level: optional(level("Minimum level of logged lines."), "info") });

/** `monitoring.providers.prometheus` */
export function prometheusConfig({ isProduction }: Profile) {
  return strictObject({
    endpoint: optional(
      listenAddress({ description: "Address of the metrics. On gRPC's port they are served over HTTP/1.1." }),
      isProduction ? ":9464" : "127.0.0.1:9464",
    ),
    path: optional(
      text({ pattern: /^\//, expects: "a path that begins with /", description: "Path of the metrics." }),
      "/metrics",
    ),
  });
}

const jaegerPort = "14268";

/** Returns the OTLP URL for traces: replaces Jaeger's own port by its OTLP port, and adds OTLP's path to a URL without one. */
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

/** Whether an endpoint uses Jaeger's own protocol, which is no longer supported. */
export function isJaegerEndpoint(endpoint: string): boolean {
  return URL.canParse(endpoint) && new URL(endpoint).port === jaegerPort;
}

/** `monitoring.providers.otlp`, and `jaeger`, which takes OTLP since 1.35. */
export function otlpConfig({ isProduction }: Profile) {
  return pipe(
    strictObject({
      endpoint: optional(
        url(["http", "https"], { description: "URL for traces by OTLP over HTTP." }),
        "http://localhost:4318/v1/traces",
      ),
      service_name: optional(text({ minLength: 1, description: "Service name in traces. Default: `service.name`." })),
      sample_rate: optional(
        share({ reload: true, description: "Share of traces starting here that are recorded." }),
        isProduction ? 0.1 : 1,
      ),
      headers: optional(
        record(
          string(),
          text({ secret: true, description: "Headers of the exporter's requests, such as an API key." }),
        ),
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
