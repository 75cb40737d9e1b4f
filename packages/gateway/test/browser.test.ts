// Own process: Playwright includes a copy of zod, which defines globals.
// Long: it drives Chromium through every protocol, over restarts, and sends 100 MB each way.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { HandlerContext } from "@connectrpc/connect";
import { createGateway } from "@tercel/gateway";
import { createWebSockets } from "@tercel/gateway/websocket";
import { createServer, type Server, type ServerOptions } from "@tercel/grpc";
import { createSelfSigned, withoutOpenssl } from "@tercel/test-support/certificates";
import { openChromium, withoutChromium } from "@tercel/test-support/chromium";
import { freePorts } from "@tercel/test-support/servers";
import type { Browser, Page as BrowserPage } from "playwright-core";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import type { Page } from "./support/browser-page.ts";
import { bundlePage } from "./support/bundle-page.ts";
import { createLibrary, createLibraryState } from "./support/library.ts";

const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };

/** The state of an EventSource in the page. */
interface PageEvents {
  readonly ids: string[];
  readonly statuses: string[];
  isClosed: boolean;
}

/** Runs in the page: opens an EventSource and replaces the events read before. The types of Node.js have no EventSource. */
function listenToEvents(address: string): void {
  interface Source {
    readonly readyState: number;
    addEventListener(type: string, listener: (event: { lastEventId: string; data: string }) => void): void;
    close(): void;
  }
  const { EventSource: Events, source: earlier } = globalThis as unknown as {
    EventSource: new (url: string) => Source;
    source?: Source;
  };
  earlier?.close();
  const events: PageEvents = { ids: [], statuses: [], isClosed: false };
  const source = new Events(address);
  source.addEventListener("message", ({ lastEventId }) => void events.ids.push(lastEventId));
  source.addEventListener("status", ({ data }) => void events.statuses.push(JSON.parse(data).status));
  source.addEventListener("error", () => {
    events.isClosed = source.readyState === 2;
  });
  Object.assign(globalThis, { events, source });
}

/** The number of events in a stream that sends one every few milliseconds, so that it can be interrupted. */
const pacedCount = 100_000;

/** A server with the page of the tests, which also allows calls from the page of another server. */
async function startServer(
  script: string,
  port: number,
  origins: readonly string[],
  contexts: HandlerContext[] = [],
  options: Pick<ServerOptions, "tls"> = {},
) {
  const state = createLibraryState();
  const library = createLibrary(state);
  const server = createServer({
    routes: (router) =>
      router.service(Library, {
        ...library,
        getBook: (request, context) => {
          contexts.push(context);
          return library.getBook(request, context);
        },
        async *watchBooks(request, context) {
          for await (const event of library.watchBooks(request, context)) {
            yield event;
            if (request.count === pacedCount) await new Promise((resolve) => setTimeout(resolve, 5));
          }
        },
        chat: (requests, context) => {
          contexts.push(context);
          return library.chat(requests, context);
        },
      }),
    gateway: createGateway({
      webSockets: createWebSockets(),
      cors: { origins, credentials: true },
      openapi: { title: "Library", docs: "/docs" },
      fallback: (request) =>
        new URL(request.url).pathname === "/page.js"
          ? new Response(script, { headers: { "content-type": "text/javascript" } })
          : new Response("<!doctype html><script src=/page.js></script>", {
              headers: { "content-type": "text/html", "set-cookie": "session=s; HttpOnly; SameSite=Lax" },
            }),
    }),
    maxReceiveMessageBytes: 128 * 1024 * 1024,
    ...quiet,
    ...options,
  });
  await server.listen({ port });
  return server;
}

describe("a page in Chromium", { skip: withoutChromium }, () => {
  let browser: Browser;
  let page: BrowserPage;
  let script = "";
  let home = "";
  let away = "";
  const servers: Server[] = [];
  const contexts: HandlerContext[] = [];
  before(async () => {
    script = bundlePage();
    const [first = 0, second = 0] = await freePorts(2);
    home = `http://127.0.0.1:${first}`;
    away = `http://127.0.0.1:${second}`;
    servers.push(await startServer(script, first, [], contexts), await startServer(script, second, [home], contexts));
    browser = await openChromium();
    page = await browser.newPage();
    await page.goto(`${home}/page`);
  });
  after(async () => {
    await browser?.close();
    for (const server of servers) await server.close({ deadlineMs: 0 });
  });

  /** Calls a function of the page. */
  function call<Name extends keyof Page>(
    name: Name,
    ...args: Parameters<Page[Name]>
  ): Promise<Awaited<ReturnType<Page[Name]>>> {
    return page.evaluate(
      ([method, given]) => {
        const { page: functions } = globalThis as unknown as { page: Record<string, (...args: unknown[]) => unknown> };
        return functions[method]?.(...given);
      },
      [name, args] as [string, unknown[]],
    ) as Promise<Awaited<ReturnType<Page[Name]>>>;
  }

  for (const protocol of ["connect", "connect-json", "grpc-web"] as const) {
    it(`calls with connect-web over ${protocol}, from its own origin and from an origin that cors allows`, async () => {
      for (const url of [home, away]) {
        const { servedBy, cost, ...book } = await call("unary", url, protocol);
        assert.deepEqual(book, { title: "Flatland", pages: "96" });
        assert.deepEqual([servedBy, cost], ["library", "3"]);
        assert.equal(contexts.at(-1)?.requestHeader.get("x-asked-by"), "page");
        assert.deepEqual(await call("stream", url, protocol, 3), ["1", "2", "3"]);
      }
    });

    it(`handles errors over ${protocol} with matchError, with field violations and retry times`, async () => {
      assert.deepEqual(await call("failingStream", away, protocol), {
        ...{ tokens: ["1"], message: "the press has stopped", retryAfterMs: 1500 },
      });
      assert.deepEqual(await call("fieldErrors", away, protocol), ["book.title: must not be empty"]);
    });

    it(`cancels the handler's stream over ${protocol}`, async () => {
      assert.equal(await call("cancelled", away, protocol), "canceled");
      while ((servers[1]?.openCalls ?? 0) > 0) await new Promise((resolve) => setImmediate(resolve));
    });
  }

  it("sends cookies to the handler if cors allows credentials", async () => {
    await call("unary", away, "connect");
    assert.equal(contexts.at(-1)?.requestHeader.get("cookie"), "session=s");
  });

  it("calls with the official gRPC-Web client in text mode", async () => {
    const { status, ...rest } = await call("official", away, 3);
    assert.deepEqual(rest, { title: "Flatland", missing: 5, tokens: ["1", "2"] });
    assert.equal(status.code, 14);
    assert.equal(status.details, "the press has stopped");
  });

  it("streams in both directions over WebSockets, with headers, trailers, errors and cancellation", async () => {
    for (const url of [home, away]) {
      assert.deepEqual(await call("chat", url, ["a", "b", "c"]), ["a", "b", "c"]);
      assert.equal(contexts.at(-1)?.requestHeader.get("authorization"), "Bearer page");
      assert.deepEqual(await call("stream", url, "websocket", 3), ["1", "2", "3"]);
    }
    assert.equal(await call("imported", home, 500), 500);
    assert.deepEqual(await call("failingStream", away, "websocket"), {
      ...{ tokens: ["1"], message: "the press has stopped", retryAfterMs: 1500 },
    });
    assert.equal(await call("cancelled", home, "websocket"), "canceled");
    while ((servers[0]?.openCalls ?? 0) > 0) await new Promise((resolve) => setImmediate(resolve));
    // Unary calls use the transport in the options.
    assert.equal((await call("unary", home, "websocket")).title, "Flatland");
  });

  it("cannot call or open WebSockets from an origin that cors does not allow", async () => {
    const stranger = await browser.newPage();
    await stranger.goto(`${away}/page`);
    const started = servers[0]?.calls.started;
    const outcomes = await stranger.evaluate(async (url) => {
      const { page: functions } = globalThis as unknown as { page: Page };
      const refused = (error: unknown) => `refused: ${(error as Error).name}`;
      return [
        await functions.unary(url, "connect").catch(refused),
        await functions.chat(url, ["a"]).catch(refused),
        await functions.form(url).catch(refused),
      ];
    }, home);
    assert.deepEqual(outcomes, ["refused: ConnectError", "refused: ConnectError", "refused: TypeError"]);
    assert.equal(servers[0]?.calls.started, started);
    await stranger.close();
  });

  it("receives each event once over a restart of the server", async () => {
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    for (const protocol of ["connect", "grpc-web", "websocket"] as const) {
      let server = await startServer(script, port, [home]);
      const reading = call("reconnecting", url, protocol, 30);
      const soFar = () =>
        page.evaluate(() => (globalThis as unknown as { state?: { tokens: string[] } }).state?.tokens.length ?? 0);
      while ((await soFar()) < 3) await new Promise((resolve) => setImmediate(resolve));
      await server.close({ deadlineMs: 0 });
      while (
        (await page.evaluate(() => (globalThis as unknown as { state: { reconnects: number } }).state.reconnects)) === 0
      ) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      server = await startServer(script, port, [home]);
      const { tokens, reconnects } = await reading;
      assert.deepEqual(
        tokens,
        Array.from({ length: 30 }, (_, at) => String(at + 1)),
      );
      assert.ok(reconnects > 0);
      await page.evaluate(() => Object.assign(globalThis, { state: undefined }));
      await server.close({ deadlineMs: 0 });
    }
  });

  for (const protocol of ["connect", "grpc-web", "websocket"] as const) {
    it(`abandons a stream over ${protocol} when the browser goes offline, and continues it later`, async () => {
      const context = await browser.newContext();
      const lone = await context.newPage();
      await lone.goto(`${home}/page`);
      const reading = lone.evaluate(
        ([url, name, count, countOfStream]) =>
          (globalThis as unknown as { page: Page }).page.reconnecting(url, name, count, countOfStream),
        [home, protocol, Number.POSITIVE_INFINITY, pacedCount] as const,
      );
      const until = (text: string) => lone.waitForFunction(text);
      await until("globalThis.state?.tokens.length >= 5");
      await context.setOffline(true);
      await until("globalThis.state.reconnects === 1");
      // The server notices that the stream is no longer read.
      while ((servers[0]?.openCalls ?? 0) > 0) await new Promise((resolve) => setImmediate(resolve));
      await context.setOffline(false);
      await lone.evaluate("state.wanted = state.tokens.length + 5");
      const { tokens } = await reading;
      assert.deepEqual(
        tokens,
        Array.from(tokens, (_, at) => String(at + 1)),
      );
      await context.close();
    });
  }

  it("calls and streams over TLS with HTTP/2, and opens WebSockets", {
    skip: withoutOpenssl,
  }, async () => {
    const [port = 0] = await freePorts(1);
    const server = await startServer(script, port, [], [], { tls: createSelfSigned() });
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const secure = await context.newPage();
    const url = `https://127.0.0.1:${port}`;
    await secure.goto(`${url}/page`);
    const seen = await secure.evaluate(async (address) => {
      const { page: functions } = globalThis as unknown as { page: Page };
      const results = [];
      for (const protocol of ["connect", "connect-json", "grpc-web"] as const) {
        const { title } = await functions.unary(address, protocol);
        results.push(
          title,
          await functions.stream(address, protocol, 3),
          await functions.failingStream(address, protocol),
        );
      }
      return { results, answers: await functions.chat(address, ["a", "b"]), form: await functions.form(address) };
    }, url);
    const failure = { tokens: ["1"], message: "the press has stopped", retryAfterMs: 1500 };
    assert.deepEqual(
      seen.results,
      Array(3)
        .fill(["Flatland", ["1", "2", "3"], failure])
        .flat(1),
    );
    assert.deepEqual([seen.answers, seen.form], [["a", "b"], { text: "from a form", data: "AQID" }]);
    const protocols = await secure.evaluate(() =>
      performance.getEntriesByType("resource").map((entry) => (entry as { nextHopProtocol?: string }).nextHopProtocol),
    );
    assert.deepEqual([...new Set(protocols)], ["h2"]);
    await context.close();
    await server.close({ deadlineMs: 0 });
  });

  it("reads server-sent events with EventSource over a restart, and stops at the end of the stream", async () => {
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}/v1/books:watch`;
    let server = await startServer(script, port, [home]);
    const open = (address: string) => page.evaluate(listenToEvents, address);
    const events = () => page.evaluate(() => (globalThis as unknown as { events: PageEvents }).events);
    const until = async (isReached: (seen: PageEvents) => boolean): Promise<PageEvents> => {
      for (;;) {
        const seen = await events();
        if (isReached(seen)) return seen;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const firstTokens = (count: number) => Array.from({ length: count }, (_, at) => String(at + 1));

    await open(`${url}?count=${pacedCount}`);
    await until(({ ids }) => ids.length >= 5);
    await server.close({ deadlineMs: 0 });
    const { ids: before } = await events();
    server = await startServer(script, port, [home]);
    const { ids } = await until((seen) => seen.ids.length >= before.length + 5);
    assert.deepEqual(ids, firstTokens(ids.length));

    await open(`${url}?count=2`);
    const seen = await until(({ isClosed }) => isClosed);
    assert.deepEqual([seen.ids, seen.statuses], [firstTokens(2), ["OK"]]);
    await server.close({ deadlineMs: 0 });
  });

  it("sends a form, uploads and downloads 100 MB", async () => {
    assert.deepEqual(await call("form", home), { text: "from a form", data: "AQID" });
    assert.deepEqual(await call("bytes", home, 100_000_000), { status: 200, isSame: true });
  });

  it("shows the documentation without requests to other hosts and without errors", async () => {
    const docs = await browser.newPage();
    const requests: string[] = [];
    const problems: string[] = [];
    docs.on("request", (request) => requests.push(new URL(request.url()).pathname));
    docs.on("console", (message) => problems.push(message.text()));
    docs.on("pageerror", (error) => problems.push(error.message));
    await docs.goto(`${home}/docs`);
    await docs.locator("#Library_GetBook summary").click();
    assert.equal(await docs.locator("#Library_GetBook h3").first().isVisible(), true);
    assert.deepEqual(
      requests.filter((path) => path !== "/favicon.ico"),
      ["/docs"],
    );
    assert.deepEqual(
      problems.filter((text) => !text.includes("favicon")),
      [],
    );
    // Wide content scrolls inside its own box, also on a phone.
    for (const width of [390, 1280]) {
      await docs.setViewportSize({ width, height: 800 });
      const overflow = await docs.evaluate(() => {
        const { document } = globalThis as unknown as {
          document: { documentElement: { scrollWidth: number; clientWidth: number } };
        };
        return document.documentElement.scrollWidth - document.documentElement.clientWidth;
      });
      assert.equal(overflow, 0, `${width} px`);
    }
    await docs.close();
  });
});
