import { Buffer } from "node:buffer";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterwards, type CleanupContext } from "../daemon/cleanup.ts";

/** A repository on another machine, as far as restic can see: it speaks restic's REST protocol, and can be made to wait. */
export interface RestServer {
  /** As a destination. */
  readonly destination: string;
  /** Names of the stored files of a kind: config, keys, locks, snapshots, data, index. */
  names(kind: string): string[];
  /** Uploads of this kind wait from now on. Resolves when the first one has come. */
  hold(kind: string): Promise<void>;
  /** Lets those that wait continue. */
  release(): void;
}

function useCacheFolder(context: CleanupContext): void {
  const { RESTIC_CACHE_DIR: before } = process.env;
  const folder = mkdtempSync(join(tmpdir(), "tercel-restic-"));
  process.env.RESTIC_CACHE_DIR = folder;
  afterwards(context, () => {
    if (before === undefined) delete process.env.RESTIC_CACHE_DIR;
    else process.env.RESTIC_CACHE_DIR = before;
    rmSync(folder, { recursive: true });
  });
}

const listType = "application/vnd.x.restic.rest.v2";

/** Starts one on a free port. It ends with the test. What restic caches of it is removed as well. */
export async function startRestServer(context: CleanupContext): Promise<RestServer> {
  useCacheFolder(context);
  const stored = new Map<string, Buffer>();
  let held: { readonly kind: string; readonly come: () => void; readonly released: Promise<void> } | undefined;
  let release = (): void => {};

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (request.method === "POST") {
      if (held !== undefined && pathname.startsWith(`/${held.kind}/`)) {
        held.come();
        await held.released;
        // A sender that has died has not sent all of it.
        if (request.socket.destroyed) return;
      }
      if (pathname !== "/") stored.set(pathname, body);
      response.end();
      return;
    }
    if (request.method === "DELETE") {
      response.writeHead(stored.delete(pathname) ? 200 : 404).end();
      return;
    }
    if (pathname.endsWith("/")) {
      const list = [...stored].filter(([path]) => path.startsWith(pathname) && pathname !== "/");
      response.setHeader("content-type", listType);
      response.end(
        JSON.stringify(list.map(([path, { length: size }]) => ({ name: path.slice(pathname.length), size }))),
      );
      return;
    }
    const found = stored.get(pathname);
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const part = from === undefined ? found : found.subarray(Number(from), to === "" ? undefined : Number(to) + 1);
    response.writeHead(from === undefined ? 200 : 206, { "content-length": part.length });
    response.end(request.method === "HEAD" ? undefined : part);
  }

  const server: Server = createServer((request, response) => {
    respond(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  afterwards(context, async () => {
    release();
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  return {
    destination: `restic:rest:http://127.0.0.1:${port}/`,
    names: (kind) => [...stored.keys()].filter((path) => path.startsWith(`/${kind}`)),
    hold(kind) {
      const come = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      held = { kind, come: come.resolve, released: released.promise };
      release = released.resolve;
      return come.promise;
    },
    release() {
      held = undefined;
      release();
    },
  };
}
