// Own process: Playwright brings a copy of zod, which defines globals.
// Long: it kills the shop under a browser again and again.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { openChromium, withoutChromium } from "@tercel/test-support/chromium";
import type { Page } from "playwright-core";
import { createCheckout } from "../started-shop.ts";
import {
  createdOn,
  createShopInBrowser,
  createUser,
  type ShopInBrowser,
  textOf,
  untilLive,
} from "./shop-in-browser.ts";

async function untilShown(page: Page, userId: string | undefined): Promise<void> {
  await page.locator(`.event[data-kind=created][data-user="${userId}"]`).waitFor();
}

describe("the live events of the shop's page, in Chromium", { skip: withoutChromium, timeout: 280_000 }, () => {
  let shop: ShopInBrowser;
  beforeEach(async () => {
    shop = await createShopInBrowser();
  });
  afterEach(() => shop?.end());

  it("reach two pages over Connect and gRPC-Web exactly once, across kills and restarts of the server", async () => {
    const pages = [await shop.open(), await shop.open({ colorScheme: "dark" })];
    const [connect, grpcWeb] = pages as [Page, Page];
    await untilLive(connect);
    await untilLive(grpcWeb);
    const streams: string[] = [];
    for (const page of pages) {
      page.on("request", (request) => {
        if (request.url().endsWith("/StreamUserEvents")) streams.push(request.headers()["content-type"] ?? "");
      });
    }
    await grpcWeb.getByLabel("gRPC-Web").check();
    await untilLive(grpcWeb);

    const created: string[] = [];
    const add = async (count: number) => {
      for (let nth = 0; nth < count; nth++) created.push((await createUser(shop, `Live ${created.length}`)).userId);
    };
    const assertAllShown = async () => {
      for (const page of pages) {
        await untilShown(page, created.at(-1));
        assert.deepEqual(await createdOn(page), created);
      }
    };
    // Before the first kill, the page has no event yet. It continues from the position of its list.
    for (let kills = 0; kills < 3; kills++) {
      await shop.kill();
      for (const page of pages) await page.locator("#status[data-state=waiting]").waitFor();
      assert.match(await textOf(connect.locator("#banner")), /^The server cannot be reached/);
      await shop.start();
      // The pages wait before they reconnect, so these users are created while no stream is open.
      await add(3);
      await assertAllShown();
      await add(2);
      await assertAllShown();
      for (const page of pages) assert.equal(await textOf(page.locator("#total")), String(created.length));
    }
    assert.ok(streams.includes("application/connect+json"), streams.join());
    assert.ok(streams.includes("application/grpc-web+proto"), streams.join());

    // After a switch, the stream continues at the position of the other protocol.
    for (const label of ["gRPC-Web", "Connect", "gRPC-Web"]) {
      await connect.getByLabel(label, { exact: true }).check();
      await add(2);
    }
    await assertAllShown();
  });

  it("arrive after a graceful restart of the server", async () => {
    const page = await shop.open();
    await untilLive(page);
    const first = await createUser(shop, "First");
    await untilShown(page, first.userId);
    await shop.stop();
    await page.locator("#status[data-state=waiting]").waitFor();
    await shop.start();
    const second = await createUser(shop, "Second");
    await untilShown(page, second.userId);
    assert.deepEqual(await createdOn(page), [first.userId, second.userId]);
  });

  it("arrive when the browser is online again", async () => {
    const page = await shop.open();
    await untilLive(page);
    await page.context().setOffline(true);
    await page.locator("#status[data-state=offline]").waitFor();
    assert.match(await textOf(page.locator("#banner")), /^You are offline/);
    const missed = [await createUser(shop, "Missed 1"), await createUser(shop, "Missed 2")];
    await page.context().setOffline(false);
    await untilLive(page);
    await untilShown(page, missed[1]?.userId);
    assert.deepEqual(
      await createdOn(page),
      missed.map(({ userId }) => userId),
    );
    assert.equal(await page.locator("#banner").isVisible(), false);
  });

  it("a form that could not be sent is kept, and creates its user once", async () => {
    const page = await shop.open();
    await untilLive(page);
    await page.getByRole("button", { name: "New user" }).click();
    await page.getByLabel("Email").fill("patient@example.org");
    await page.getByLabel("Name").fill("Patient Person");
    await shop.kill();
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.locator("#user-problem").filter({ hasText: "The server cannot be reached." }).waitFor();
    await shop.start();
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByText("Patient Person was created.").waitFor();
    await page.locator(".event[data-kind=created]").waitFor();
    assert.equal(await page.locator(".user").count(), 1);
  });
});

describe("npm start", { skip: withoutChromium, timeout: 180_000 }, () => {
  it("prints the link of the page, which signs in", async (t) => {
    const checkout = await createCheckout();
    t.after(() => checkout.end());
    const [, link = ""] = await checkout.npmStart().process.says(/^user-service +page: (http:\S+#token=\S+)$/m);
    const browser = await openChromium();
    t.after(() => browser.close());
    const page = await browser.newPage();
    await page.goto(link);
    await untilLive(page);
    await page.getByText("There are no users yet").waitFor();
  });
});
