import { randomUUID } from "node:crypto";
import type { DescService } from "@bufbuild/protobuf";
import type { Registry } from "@tercel/discovery";
import { createEmbeddedRegistry } from "@tercel/discovery/embedded";
import { toFrameworkLog } from "../log/framework-log.ts";
import type { Log } from "../log/json-log.ts";

/** The registry as one service of the shop uses it. */
export interface ShopRegistry {
  /** For those who look for others; undefined when the service runs without one. */
  readonly registry: Registry | undefined;
  /**
   * Tells others where this service listens. Settles when they know, or when it has become clear that they cannot be told now;
   * it is tried again then, as a service is of use to those who know its address all the same.
   */
  announce(
    name: string,
    service: DescService,
    address: { readonly host: string; readonly port: number },
  ): Promise<void>;
  /** Takes the announcement back, so that no new calls come. */
  close(): Promise<void>;
}

/** How long a start waits for the registry. */
const registerTimeoutMs = 3_000;
/** Between two attempts of a service that no one knows of yet. */
const retryMs = 5_000;

/** Opens the registry at a target; an empty one means none. */
export function openShopRegistry(target: string, log: Log): ShopRegistry {
  if (target === "") return { registry: undefined, async announce() {}, async close() {} };
  const registry = createEmbeddedRegistry({ target, registerTimeoutMs, log: toFrameworkLog(log, "registry") });
  // One for all attempts, or an attempt that came through unnoticed would leave a second entry.
  const id = randomUUID();
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function announce(...[name, service, { host, port }]: Parameters<ShopRegistry["announce"]>): Promise<void> {
    const address = dialable(host);
    try {
      await registry.register({ name, id, address, port, version: "v0.1.0", endpoints: [service.typeName] });
      log.info("registered", { registry: registry.description, instance: id });
    } catch (error) {
      if (isClosed) return;
      log.warn("not_registered", { error: String(error), retryInMs: retryMs });
      retry = setTimeout(() => void announce(name, service, { host, port }), retryMs);
    }
  }

  return {
    registry,
    announce,
    async close() {
      isClosed = true;
      clearTimeout(retry);
      await registry.close();
    },
  };
}

/** Who listens on every interface is reached on this machine's own; the registry is for this machine only. */
function dialable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}
