import { duration, flag, port, text, wholeNumber } from "@tercel/service/config";
import * as v from "valibot";
import { roles } from "../token/role.ts";

const maxJobs = 64;

/** A setting that is an absolute path. */
function absolutePath(): v.GenericSchema<string, string> {
  const message = "it is an absolute path";
  return v.pipe(v.string(message), v.startsWith("/", message), v.metadata({ expects: "an absolute path" }));
}

function httpUrl(): v.GenericSchema<string, string> {
  const message = "it is a URL that begins with http:// or https://";
  return v.pipe(
    v.string(message),
    v.url(message),
    v.regex(/^https?:\/\//, message),
    v.metadata({ expects: "a URL that begins with http:// or https://" }),
  );
}

function fileName(): v.GenericSchema<string, string> {
  const message = "it is a file name without a folder";
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
    role: v.optional(v.picklist(roles, `it is ${roles.join(", ")}`), "operator"),
  });
}

/** What `config.yaml` may hold. Unknown keys are errors, so that a misspelt one does not leave a default in force. */
export const configSchema = v.strictObject({
  /** A name for the installation; it changes nothing. */
  environment: v.optional(text(), "production"),
  /** Issuer of the tokens: clients of another installation are refused by it. */
  appID: text({ minLength: 1 }),
  /** Tokens are signed with a key that is derived from it. */
  appSecret: text({ secret: true, minLength: 8, expects: "text of 8 characters or more" }),
  service: v.strictObject({
    server: v.strictObject({
      port: v.optional(port(), 52_730),
      /** False: `wimguard server` refuses to start on this machine. */
      enabled: v.optional(flag(), true),
      /** The catalogue, in the data folder. */
      database: v.optional(fileName(), "wimbackup.db"),
      host: v.optional(text(), "127.0.0.1"),
      /** Path of a Unix socket for this user, in addition to the port. */
      socket: v.optional(absolutePath()),
      tls: v.optional(v.strictObject({ cert: text(), key: text(), clientCa: v.optional(text()) })),
      /** Jobs that run at once. */
      jobs: v.optional(wholeNumber(1, maxJobs), 2),
      /** Folders that may be backed up and restored to. Absent: any that the daemon can read or write. */
      roots: v.optional(
        v.strictObject({ sources: v.optional(v.array(absolutePath())), restores: v.optional(v.array(absolutePath())) }),
      ),
      /** Serves figures for Prometheus at http://127.0.0.1:PORT/metrics. Absent: not at all. */
      metricsPort: v.optional(port()),
      /** Where traces are sent by OTLP over HTTP, such as http://localhost:4318/v1/traces. Absent: nothing is traced. */
      traces: v.optional(httpUrl()),
      /** Who is notified of failures, warnings, damage, overdue schedules and full disks. */
      notify: v.optional(
        v.strictObject({
          /** Gets each notification as JSON, by POST. */
          webhook: v.optional(httpUrl()),
          /** Is fetched after each good backup, for a service that raises the alarm when it stays silent. */
          ping: v.optional(httpUrl()),
          /** A program with its arguments, run without a shell; the notification is in WIMGUARD_NOTIFICATION. */
          command: v.optional(v.pipe(v.array(v.string()), v.minLength(1))),
        }),
      ),
      /** Other installations whose clients may call: each has a name and a secret of its own, and tokens of this role at most. */
      apps: v.optional(
        v.pipe(
          v.array(app()),
          v.check((all) => new Set(all.map(({ id }) => id)).size === all.length, "two apps have the same id"),
        ),
      ),
      /** Whether clients with a token may ask for the services' descriptions. */
      reflection: v.optional(flag(), false),
    }),
    client: v.optional(
      v.strictObject({
        serverAddress: v.optional(text(), "localhost:52730"),
        /** In milliseconds. For connecting, health and single calls; a backup takes as long as it takes. */
        timeout: v.optional(duration({ minMs: 1 }), "30s"),
        /** Authorities that the server's certificate may come from, as a PEM file. With it, clients use TLS. */
        ca: v.optional(text()),
      }),
      {},
    ),
  }),
});

export type Config = v.InferOutput<typeof configSchema>;
