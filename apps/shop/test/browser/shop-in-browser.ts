import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { openChromium } from "@tercel/test-support/chromium";
import { freePorts } from "@tercel/test-support/servers";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { alone, createShopUnderTest, type ShopUnderTest, type StartedService } from "../shop-under-test.ts";

/** The fields of a REST user that the tests read. */
export interface RestUser {
  readonly userId: string;
  readonly email: string;
  readonly displayName: string;
  readonly [field: string]: unknown;
}

/** user-service with its page, and Chromium. `end` ends both. */
export interface ShopInBrowser {
  readonly url: string;
  readonly browser: Browser;
  readonly shop: ShopUnderTest;
  /** A token of an admin. */
  readonly token: string;
  /** Opens the page in a new profile, signed in unless `path` says otherwise. An error in the page's console fails `end`. */
  open(options?: BrowserContextOptions, path?: string): Promise<Page>;
  /** Calls `api.user.v1` over REST, as another client. */
  rest(method: string, path: string, body?: object): Promise<RestUser>;
  /** Kills user-service. */
  kill(): Promise<void>;
  /** Stops user-service gracefully. */
  stop(): Promise<void>;
  /** Starts user-service at the same address. */
  start(set?: readonly string[]): Promise<void>;
  end(): Promise<void>;
}

/** @param set Configuration keys of user-service */
export async function createShopInBrowser(set: readonly string[] = []): Promise<ShopInBrowser> {
  execFileSync(process.execPath, [fileURLToPath(new URL("../../web/build.ts", import.meta.url))], { stdio: "inherit" });
  const shop = await createShopUnderTest();
  const [grpc = 0, http = 0] = await freePorts(2);
  const url = `http://127.0.0.1:${http}`;
  const places = [`service.port=${grpc}`, `communication.providers.http.port=${http}`];
  let service: StartedService | undefined;
  const start = async (more: readonly string[] = []) => {
    service = await shop.start("user-service", [...alone, ...places, ...set, ...more]);
  };
  const end = async (signal: NodeJS.Signals) => {
    service?.process.signal(signal);
    await service?.process.ended;
  };
  await start();
  const { authorization } = await shop.tokenOf("admin", "tester", 60);
  const token = authorization.replace("Bearer ", "");
  const browser = await openChromium();
  const problems: string[] = [];
  return {
    ...{ url, browser, shop, token, start },
    async open(options = {}, path = `/#token=${token}`) {
      const context = await browser.newContext({ reducedMotion: "reduce", ...options });
      // A restart may take long on a busy machine.
      context.setDefaultTimeout(60_000);
      const page = await context.newPage();
      page.on("pageerror", (error) => problems.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error" && !ofNetwork.test(message.text())) problems.push(message.text());
      });
      page.on("request", (request) => {
        const { protocol, origin } = new URL(request.url());
        if (protocol !== "data:" && origin !== url) problems.push(`a request to ${request.url()}`);
      });
      await page.goto(`${url}${path}`);
      return page;
    },
    async rest(method, path, body) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization, ...(body !== undefined && { "content-type": "application/json" }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const json = (await response.json()) as RestUser;
      assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(json)}`);
      return json;
    },
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    async end() {
      await browser.close();
      await shop.end();
      assert.deepEqual(problems, [], "the console of a page");
    },
  };
}

/** Chromium logs each failed request. The tests cause some of them, which are not errors of the page. */
const ofNetwork = /Failed to load resource/;

/** Creates a user over REST. */
export function createUser({ rest }: ShopInBrowser, name: string): Promise<RestUser> {
  const email = `${name.toLowerCase().replace(/\W+/g, ".")}@example.org`;
  return rest("POST", "/v1/users", { email, displayName: name });
}

/** Returns the created users in the events of a page, the oldest event first. */
export function createdOn(page: Page): Promise<(string | null)[]> {
  return page
    .locator(".event[data-kind=created]")
    .evaluateAll((items: readonly { getAttribute(name: string): string | null }[]) =>
      items.map((item) => item.getAttribute("data-user")).reverse(),
    );
}

export async function textOf(locator: Locator): Promise<string> {
  return (await locator.textContent())?.trim() ?? "";
}

/** Resolves when the page shows that it is up to date. */
export async function untilLive(page: Page): Promise<void> {
  await page.locator("#status[data-state=live]").waitFor();
}
