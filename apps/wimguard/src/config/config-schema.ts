import { duration, flag, port, text, wholeNumber } from "@tercel/service/config";
import * as v from "valibot";
import { roles } from "../token/role.ts";

const maxJobs = 64;

/** Returns the schema of an absolute path. */
function absolutePath(): v.GenericSchema<string, string> {
  const message = "expected an absolute path";
  return v.pipe(v.string(message), v.startsWith("/", message), v.metadata({ expects: "an absolute path" }));
}

function httpUrl(): v.GenericSchema<string, string> {
  const message = "expected a URL that begins with http:// or https://";
  return v.pipe(
    v.string(message),
    v.url(message),
    v.regex(/^https?:\/\//, message),
    v.metadata({ expects: "a URL that begins with http:// or https://" }),
  );
}

function fileName(): v.GenericSchema<string, string> {
  const message = "expected a file name without a folder";
  return v.pipe(
    v.string(message),
    v.regex(/^[^/\\]+$/, message),
    v.metadata({ expects: "a file name without a folder" }),
  );
}

function app() {
  return v.strictObject({
    id: text({ minLength: 1 }),
    secret: text({ secret: true, minLength: 8, expects: "text of 8 characters or more" }),
    role: v.optional(v.picklist(roles, `expected one of ${roles.join(", ")}`), "operator"),
  });
}

/** The schema of `config.yaml`. Unknown keys are errors, so that a misspelt key does not leave a default in effect. */
export const configSchema = v.strictObject({
  /** A name for the installation; it has no effect. */
  environment: v.optional(text(), "production"),
  /** Issuer of the tokens, by which clients of other installations are rejected. */
  appID: text({ minLength: 1 }),
  /** Secret from which the signing key of tokens is derived. */
  appSecret: text({ secret: true, minLength: 8, expects: "text of 8 characters or more" }),
  service: v.strictObject({
    server: v.strictObject({
      port: v.optional(port(), 52_730),
      /** Whether `wimguard server` may run on this machine. */
      enabled: v.optional(flag(), true),
      /** File name of the catalogue in the data folder. */
      database: v.optional(fileName(), "wimbackup.db"),
      host: v.optional(text(), "127.0.0.1"),
      /** Path of a Unix socket for this user, in addition to the port. */
      socket: v.optional(absolutePath()),
      tls: v.optional(v.strictObject({ cert: text(), key: text(), clientCa: v.optional(text()) })),
      /** Number of jobs that run concurrently. */
      jobs: v.optional(wholeNumber(1, maxJobs), 2),
      /** Folders that may be backed up and restored to. Default: all that the daemon can read or write. */
      roots: v.optional(
        v.strictObject({ sources: v.optional(v.array(absolutePath())), restores: v.optional(v.array(absolutePath())) }),
      ),
      /** Port of the Prometheus metrics at http://127.0.0.1:PORT/metrics. Default: no metrics. */
      metricsPort: v.optional(port()),
      /** URL for traces by OTLP over HTTP, such as http://localhost:4318/v1/traces. Default: no traces. */
      traces: v.optional(httpUrl()),
      /** Targets of notifications about failures, warnings, damage, overdue schedules and full disks. */
      notify: v.optional(
        v.strictObject({
          /** URL that receives each notification as JSON by POST. */
          webhook: v.optional(httpUrl()),
          /** URL that is fetched after each successful backup, for a monitoring service that alerts when the pings stop. */
          ping: v.optional(httpUrl()),
          /** A program with its arguments, run without a shell; the notification is in WIMGUARD_NOTIFICATION. */
          command: v.optional(v.pipe(v.array(v.string()), v.minLength(1))),
        }),
      ),
      /** Other installations whose clients may call, each with an id, a secret and the highest role of its tokens. */
      apps: v.optional(
        v.pipe(
          v.array(app()),
          v.check((all) => new Set(all.map(({ id }) => id)).size === all.length, "duplicate app id"),
        ),
      ),
      /** Whether clients with a token may use reflection. */
      reflection: v.optional(flag(), false),
    }),
    client: v.optional(
      v.strictObject({
        serverAddress: v.optional(text(), "localhost:52730"),
        /** Timeout of connecting, health and unary calls, in milliseconds; streams such as backups have none. */
        timeout: v.optional(duration({ minMs: 1 }), "30s"),
        /** PEM file of the authorities that sign the server's certificate. If set, clients use TLS. */
        ca: v.optional(text()),
      }),
      {},
    ),
  }),
});

export type Config = v.InferOutput<typeof configSchema>;
