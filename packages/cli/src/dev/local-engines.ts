import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { createRegistryService } from "@tercel/discovery/embedded";
import { createServer, type Log, systemClock } from "@tercel/grpc";
import { createRegistry } from "@tercel/interceptors/metrics";
import type { ServiceConfig } from "@tercel/service";
import { knownProviders } from "@tercel/service/internal";
import type { Provider } from "@tercel/service/providers";
import { anyFreePort } from "./port-choice.ts";

interface Hosted {
  /** Its address: `127.0.0.1:40123`. */
  readonly target: string;
  close(): Promise<void>;
}

const loopback = "127.0.0.1";
const embedded = "embedded";

/**
 * Hosts the servers that providers of type `embedded` need: the registry, so that no service has to, and the event hub, whose log is a file.
 * Each starts on a free port when the first service needs it.
 */
export class LocalEngines {
  readonly #hubFile: string;
  readonly #log: Log;
  readonly #hosted = new Map<string, Promise<Hosted>>();

  constructor(hubFile: string, log: Log) {
    this.#hubFile = hubFile;
    this.#log = log;
  }

  /** Returns `--set` options that point a service to these servers and keep it from hosting its own. */
  async settingsFor(config: ServiceConfig<unknown>): Promise<readonly string[]> {
    const settings: string[] = [];
    for (const concern of ["discovery", "events"] as const) {
      for (const { name } of config.concerns[concern]?.entries.filter(({ type }) => type === embedded) ?? []) {
        const { target } = await this.#host(concern);
        const key = `${concern}.providers.${name}`;
        settings.push(`${key}.target=${target}`, `${key}.serve=false`);
      }
    }
    return settings;
  }

  async close(): Promise<void> {
    for (const hosted of await Promise.allSettled(this.#hosted.values())) {
      if (hosted.status === "fulfilled") await hosted.value.close();
    }
    this.#hosted.clear();
  }

  #host(concern: "discovery" | "events"): Promise<Hosted> {
    const known = this.#hosted.get(concern);
    if (known !== undefined) return known;
    const opening = concern === "discovery" ? hostRegistry(this.#log) : hostHub(this.#hubFile, this.#log);
    this.#hosted.set(concern, opening);
    // The next start retries.
    opening.catch(() => this.#hosted.delete(concern));
    return opening;
  }
}

async function hostRegistry(log: Log): Promise<Hosted> {
  const hosted = createRegistryService({ log });
  const server = createServer({ routes: hosted.routes, log });
  const { port } = await server.listen({ host: loopback, port: 0 });
  return {
    target: `${loopback}:${port}`,
    async close() {
      hosted.close();
      await server.close({ deadlineMs: 0 });
    },
  };
}

/** Hosts the event hub with the kit's provider, as a service would. */
async function hostHub(file: string, log: Log): Promise<Hosted> {
  const provider = (await knownProviders(new Set(["events"]))).find(({ type }) => type === embedded) as Provider;
  const target = `${loopback}:${await anyFreePort()}`;
  mkdirSync(dirname(file), { recursive: true });
  const checked = await provider.config["~standard"].validate({ target, serve: true, path: file });
  if (checked.issues !== undefined) throw new Error(checked.issues.map(({ message }) => message).join("; "));
  const ending = new AbortController();
  const opened = await provider.open(checked.value, {
    name: embedded,
    service: "tercel dev",
    log,
    metrics: createRegistry(),
    clock: systemClock,
    signal: ending.signal,
  });
  return {
    target,
    async close() {
      ending.abort();
      await opened.close();
    },
  };
}
