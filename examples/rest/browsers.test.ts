// Own process: Playwright brings a copy of zod, which defines globals.
// Long: it starts the example again and again, and calls it from Chromium.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createGateway } from "@tercel/gateway";
import { createWebSockets } from "@tercel/gateway/websocket";
import { createServer } from "@tercel/grpc";
import { openChromium, withoutChromium } from "@tercel/test-support/chromium";
import { build } from "esbuild";
import { UserService } from "./gen/api/user/v1/user_pb.ts";
import type { FormState } from "./page.ts";

const folder = import.meta.dirname;
const root = join(folder, "..", "..");
const guide = readFileSync(join(root, "docs", "guides", "browsers.md"), "utf8");
const snippets = [...guide.matchAll(/```js\n([\s\S]*?)\n```/g)].map(([, text = ""]) => text);

/** page.ts bundled for a browser, with the transports of the guide. */
async function bundlePage(): Promise<string> {
  const contents = `
    import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
    import { createUsers } from "./page.ts";
    const transports = {
      connect: (baseUrl) => createConnectTransport({ baseUrl, useHttpGet: true }),
      grpcWeb: (baseUrl) => createGrpcWebTransport({ baseUrl }),
    };
    globalThis.usersBy = (name) => createUsers(transports[name](location.origin));
  `;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    ...{ bundle: true, write: false, format: "iife", target: "chrome120", conditions: ["source"], logLevel: "warning" },
  });
  return outputFiles[0]?.text ?? assert.fail("esbuild wrote nothing");
}

describe("the guide to browsers, in Chromium", { skip: withoutChromium, timeout: 120_000 }, () => {
  let example: ChildProcess;
  let browser: Awaited<ReturnType<typeof openChromium>>;
  let url = "";
  before(async () => {
    example = spawn(process.execPath, ["--conditions=source", join(folder, "main.ts")], {
      env: { ...process.env, PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(example.stdout ?? assert.fail("no output"), "data")) as [Buffer];
    url = /http:\/\/127\.0\.0\.1:\d+/.exec(line.toString())?.[0] ?? "";
    browser = await openChromium();
  });
  after(async () => {
    await browser?.close();
    const exited = once(example, "exit");
    example.kill();
    await exited;
  });

  for (const transport of ["connect", "grpcWeb"] as const) {
    it(`runs the code for a page by the transport "${transport}"`, async () => {
      const page = await browser.newPage();
      await page.goto(`${url}/openapi.json`);
      await page.addScriptTag({ content: await bundlePage() });
      const seen = await page.evaluate(async (name) => {
        const { usersBy } = globalThis as unknown as {
          usersBy(name: string): ReturnType<typeof import("./page.ts").createUsers>;
        };
        const users = usersBy(name);
        const shown = ({ saved, problems, message }: FormState) => ({
          saved: saved?.email,
          problems: [...problems],
          message,
        });
        const wrong = shown(await users.save("nowhere"));
        const right = shown(await users.save(`${name}@example.com`));
        const listed = (await users.list()).map(({ email }) => email);
        const leaving = new AbortController();
        const watched: string[] = [];
        try {
          for await (const { email } of users.watch(leaving.signal)) {
            watched.push(email);
            // The second stream continues where the first ended.
            if (watched.length === listed.length) {
              void users.save(`late.${name}@example.com`);
            } else if (watched.length > listed.length) leaving.abort();
          }
        } catch (error) {
          if (!leaving.signal.aborted) throw error;
        }
        return { wrong, right, listed, watched };
      }, transport);
      const email = `${transport}@example.com`;
      assert.deepEqual(seen.wrong.problems, [["user.email", "has to contain an @"]]);
      assert.equal(seen.right.saved, email);
      assert.ok(seen.listed.includes(email));
      assert.deepEqual(seen.watched, [...seen.listed, `late.${email}`]);
      await page.close();
    });
  }

  it("runs its lines for EventSource and WebSocket", async () => {
    assert.equal(snippets.length, 2);
    const tokens: (string | null)[] = [];
    const server = createServer({
      routes: (router) =>
        router.service(UserService, {
          async *streamUserEvents(_, context) {
            tokens.push(context.requestHeader.get("authorization"));
            yield { resumeToken: "1", user: { email: "ada@example.com" } };
          },
        }),
      gateway: createGateway({ webSockets: createWebSockets(), cors: { origins: [url] } }),
    });
    const { port } = await server.listen({ port: 0 });
    const page = await browser.newPage();
    const missing = new Set([
      '{"resumeToken":"1","user":{"email":"ada@example.com"}}',
      '{"result":{"resumeToken":"1","user":{"email":"ada@example.com"}}}',
      "OK",
    ]);
    const shown = Promise.withResolvers<void>();
    page.on("console", (message) => {
      missing.delete(message.text());
      if (missing.size === 0) shown.resolve();
    });
    await page.goto(`${url}/openapi.json`);
    await page.evaluate(() => {
      Object.assign(globalThis, { token: "t", show: (message: unknown) => console.log(JSON.stringify(message)) });
    });
    for (const snippet of snippets) {
      // The page that the server itself would serve.
      const here = snippet.replaceAll("s://api.example.com", `://127.0.0.1:${port}`);
      await page.addScriptTag({ content: here, type: "module" });
    }
    await shown.promise;
    assert.deepEqual(tokens, [null, "Bearer t"]);
    await page.close();
    await server.close({ deadlineMs: 0 });
  });
});
