import * as v from "valibot";
import { durationPattern } from "./parse-duration.ts";

const maxPort = 65_535;
const maxJobs = 64;

const text = v.pipe(v.string(), v.nonEmpty("must not be empty"));
const port = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0, "must be from 0 to 65535"),
  v.maxValue(maxPort, "must be from 0 to 65535"),
);
const jobs = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1, "must be from 1 to 64"),
  v.maxValue(maxJobs, "must be from 1 to 64"),
);
const duration = v.pipe(v.string(), v.regex(durationPattern, 'must be a duration such as "30s" or "1m30s"'));
const folders = v.array(v.pipe(v.string(), v.startsWith("/", "must be an absolute path")));

/** What `config.yaml` may hold. Unknown keys are errors, so that a misspelt one does not leave a default in force. */
export const configSchema = v.strictObject({
  /** A name for the installation; it changes nothing. */
  environment: v.optional(text, "production"),
  /** Issuer of the tokens: clients of another installation are refused by it. */
  appID: text,
  /** Tokens are signed with a key that is derived from it. */
  appSecret: v.pipe(v.string(), v.minLength(8, "must have at least 8 characters")),
  service: v.strictObject({
    server: v.strictObject({
      port: v.optional(port, 52_730),
      /** False: `wimguard server` refuses to start on this machine. */
      enabled: v.optional(v.boolean(), true),
      /** The catalogue, in the data folder. */
      database: v.optional(v.pipe(text, v.regex(/^[^/\\]+$/, "must be a file name without a folder")), "wimbackup.db"),
      host: v.optional(text, "127.0.0.1"),
      /** Path of a Unix socket for this user, in addition to the port. */
      socket: v.optional(v.pipe(v.string(), v.startsWith("/", "must be an absolute path"))),
      tls: v.optional(v.strictObject({ cert: text, key: text, clientCa: v.optional(text) })),
      /** Jobs that run at once. */
      jobs: v.optional(jobs, 2),
      /** Folders that may be backed up and restored to. Absent: any that the daemon can read or write. */
      roots: v.optional(v.strictObject({ sources: v.optional(folders), restores: v.optional(folders) })),
      /** Whether clients with a token may ask for the services' descriptions. */
      reflection: v.optional(v.boolean(), false),
    }),
    client: v.strictObject({
      serverAddress: v.optional(text, "localhost:52730"),
      /** For connecting, health and single calls; a backup takes as long as it takes. */
      timeout: v.optional(duration, "30s"),
      /** Authorities that the server's certificate may come from, as a PEM file. With it, clients use TLS. */
      ca: v.optional(text),
    }),
  }),
});

export type Config = v.InferOutput<typeof configSchema>;
