// Own process: Playwright brings a copy of zod, which defines globals.
// Long: it starts the whole shop, and uses its page in Chromium.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { withoutChromium } from "@tercel/test-support/chromium";
import type { Page } from "playwright-core";
import { findNameless, measureContrasts, measureOverflow } from "./look-at-page.ts";
import { createShopInBrowser, createUser, type ShopInBrowser, textOf, untilLive } from "./shop-in-browser.ts";

/** The texts below the fields of the dialog, by field. */
async function problemsOf(page: Page): Promise<Record<string, string>> {
  const problems: Record<string, string> = {};
  for (const control of await page.locator("#user-form [aria-invalid=true]").all()) {
    const described = await control.getAttribute("aria-describedby");
    problems[(await control.getAttribute("name")) ?? ""] = await textOf(page.locator(`[id="${described}"]`));
  }
  return problems;
}

const rowOf = (page: Page, userId: string) => page.locator(`.user[data-user="${userId}"]`);
const dialogOf = (page: Page) => page.locator("#user-dialog[open]");
const focusedName = (page: Page) =>
  page.evaluate(
    () => (globalThis as unknown as { document: { activeElement: { id: string } } }).document.activeElement.id,
  );

describe("the page of the shop, in Chromium", { skip: withoutChromium, timeout: 280_000 }, () => {
  let shop: ShopInBrowser;
  before(async () => {
    shop = await createShopInBrowser();
  });
  after(() => shop?.end());

  it("shows that there are no users, and creates the first one", async () => {
    const page = await shop.open();
    await untilLive(page);
    await page.getByText("There are no users yet").waitFor();
    assert.equal(await page.getByText("Nothing has happened").isVisible(), true);
    await page.getByRole("button", { name: "Create a user" }).click();
    assert.equal(await focusedName(page), "user-email");
    await page.getByLabel("Email").fill("ada@example.org");
    await page.getByLabel("Name").fill("Ada Lovelace");
    await page.getByLabel("Location").fill("London");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByText("Ada Lovelace was created.").waitFor();
    const { users } = (await shop.rest("GET", "/v1/users")) as unknown as { users: { userId: string }[] };
    assert.equal(users.length, 1);
    const row = rowOf(page, users[0]?.userId ?? "");
    assert.match(await textOf(row), /Ada Lovelaceada@example\.orgUserActiveLondon/);
    await page.locator(`.event[data-kind=created][data-user="${users[0]?.userId}"]`).waitFor();
    assert.equal(await textOf(page.locator("#total")), "1");
    // The focus is where it was before, or next to it, but never at the beginning of the page.
    assert.equal(await focusedName(page), "new-user");
    await page.context().close();
  });

  it("removes the token from the address, and keeps it for the tab", async () => {
    const page = await shop.open();
    await untilLive(page);
    assert.equal(page.url(), `${shop.url}/`);
    await page.reload();
    await untilLive(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
    assert.equal(await page.locator("#users").isVisible(), false);
    await page.context().close();
  });

  it("asks for a token, says why one is not accepted, and accepts a valid one", async () => {
    const page = await shop.open({}, "/");
    const token = page.getByLabel("Token");
    assert.equal(await focusedName(page), "token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Paste a token first.").waitFor();
    await token.fill("not.a.token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The token is not valid. Sign in again.").waitFor();
    const { authorization } = await shop.shop.tokenOf("admin", "tester", -5);
    await token.fill(authorization.replace("Bearer ", ""));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The token has expired. Sign in again.").waitFor();
    await token.fill(`  ${shop.token}\n`);
    await page.getByRole("button", { name: "Sign in" }).click();
    await untilLive(page);
    await page.context().close();
  });

  it("shows what a token does not permit", async () => {
    const { authorization } = await shop.shop.tokenOf("user", "somebody");
    const page = await shop.open({}, `/#token=${authorization.replace("Bearer ", "")}`);
    await page.getByText("The users could not be loaded").waitFor();
    assert.match(await textOf(page.locator("#failed-text")), /^This token may not do that: /);
    const again = page.waitForRequest("**/ListUsers");
    await page.getByRole("button", { name: "Try again" }).click();
    await again;
    await page.getByText("The users could not be loaded").waitFor();
    await page.context().close();
  });

  it("shows that it loads users, why it cannot, and retries", async () => {
    const page = await shop.open({}, "/");
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route("**/ListUsers", async (route) => {
      await held;
      await route.abort();
    });
    await page.getByLabel("Token").fill(shop.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("status", { name: "Users are being loaded" }).waitFor();
    release();
    await page.getByText("The users could not be loaded").waitFor();
    assert.match(await textOf(page.locator("#failed-text")), /^The server cannot be reached/);
    await page.unroute("**/ListUsers");
    // It retries automatically; its button retries at once.
    await untilLive(page);
    await page.locator(".user").first().waitFor();
    await page.context().close();
  });

  it("shows problems next to their fields, and moves the focus to the first", async () => {
    const page = await shop.open();
    await untilLive(page);
    await page.getByRole("button", { name: "New user" }).click();
    await page.getByLabel("Email").fill("nonsense");
    await page.getByLabel("Id").fill("a!");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.locator("#user-form [aria-invalid=true]").first().waitFor();
    const problems = await problemsOf(page);
    assert.deepEqual(Object.keys(problems), ["user.email", "user.display_name", "user.user_id"]);
    for (const text of Object.values(problems)) assert.match(text, /^\S.{5,}/);
    assert.equal(await focusedName(page), "user-email");

    // A corrected field has no problem any more. A problem that the server found is at its field too.
    await page.getByLabel("Email").fill("ada@example.org");
    await page.getByLabel("Name").fill("Another Ada");
    await page.getByLabel("Id").fill("");
    await page.keyboard.press("Enter");
    await page.getByText("Another user has this address.").waitFor();
    assert.deepEqual(Object.keys(await problemsOf(page)), ["user.email"]);
    await page.keyboard.press("Escape");
    await dialogOf(page).waitFor({ state: "detached" });
    assert.equal(await focusedName(page), "new-user");
    await page.context().close();
  });

  it("edits only the changed fields of a user", async () => {
    const grace = await createUser(shop, "Grace Hopper");
    const page = await shop.open();
    await rowOf(page, grace.userId).getByRole("button", { name: "Edit Grace Hopper" }).click();
    // Someone else changes another field at the same time.
    await shop.rest("PATCH", `/v1/users/${grace.userId}`, { profile: { location: "Arlington" } });
    await page.getByText("Someone has changed this user meanwhile.").waitFor();
    await page.getByLabel("Name").fill("Grace Brewster Hopper");
    await page.getByLabel("Role").selectOption({ label: "Moderator" });
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Grace Brewster Hopper was saved.").waitFor();
    const { displayName, role, email, profile } = await shop.rest("GET", `/v1/users/${grace.userId}`);
    assert.deepEqual(
      { displayName, role, email, profile },
      {
        ...{ displayName: "Grace Brewster Hopper", role: "USER_ROLE_MODERATOR", email: grace.email },
        profile: { location: "Arlington" },
      },
    );
    await page.locator(".event[data-kind=updated]").filter({ hasText: "changed: name, role" }).waitFor();
    assert.match(await textOf(rowOf(page, grace.userId)), /ModeratorActiveArlington/);

    // An invalid field is shown in the same way as for a new user.
    await rowOf(page, grace.userId).getByRole("button").click();
    await page.getByLabel("Email").fill("nonsense");
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator("#user-form [aria-invalid=true]").waitFor();
    assert.deepEqual(Object.keys(await problemsOf(page)), ["user.email"]);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.context().close();
  });

  it("removes a deleted user from the list, and shows the name", async () => {
    const eve = await createUser(shop, "Eve Moneypenny");
    const page = await shop.open();
    await untilLive(page);
    await rowOf(page, eve.userId).waitFor();
    await shop.rest("DELETE", `/v1/users/${eve.userId}`);
    await page.locator(".event[data-kind=deleted]").filter({ hasText: "Eve Moneypenny was deleted" }).waitFor();
    assert.equal(await rowOf(page, eve.userId).count(), 0);
    await page.context().close();
  });

  it("shows the users in pages", async () => {
    for (let nth = 1; nth <= 50; nth++) await createUser(shop, `Many ${nth}`);
    const page = await shop.open();
    await untilLive(page);
    assert.equal(await page.locator(".user").count(), 50);
    await page.getByRole("button", { name: "Show more" }).click();
    await page.getByRole("button", { name: "Show more" }).waitFor({ state: "hidden" });
    assert.equal(String(await page.locator(".user").count()), await textOf(page.locator("#total")));
    await page.context().close();
  });

  it("can be used with the keyboard alone", async () => {
    const page = await shop.open();
    await untilLive(page);
    await page.keyboard.press("Tab");
    assert.equal(await page.locator(".skip").evaluate((link) => link.matches(":focus-visible")), true);
    await page.keyboard.press("Enter");
    assert.equal(await focusedName(page), "users");
    await page.keyboard.press("Tab");
    assert.equal(await focusedName(page), "new-user");
    await page.keyboard.press("Enter");
    await dialogOf(page).waitFor();
    await page.keyboard.type("key@example.org");
    await page.keyboard.press("Tab");
    await page.keyboard.type("Key Board");
    await page.keyboard.press("Enter");
    await page.getByText("Key Board was created.").waitFor();
    // The protocol switch is a group of radio buttons.
    await page.getByLabel("Connect", { exact: true }).focus();
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.getByLabel("gRPC-Web").isChecked(), true);
    await untilLive(page);
    await page.context().close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [390, 1280]) {
      it(`has enough contrast, accessible names and no horizontal scrolling at ${width} px in ${colorScheme} mode`, async () => {
        const page = await shop.open({ colorScheme, viewport: { width, height: 844 } });
        await untilLive(page);
        await createUser(shop, `Looked At ${colorScheme} ${width}`);
        await page.locator(".event").waitFor();
        const check = async (what: string) => {
          assert.deepEqual(await measureContrasts(page, 4.5), [], what);
          assert.equal(await measureOverflow(page), 0, what);
          assert.deepEqual(await findNameless(page), [], what);
        };
        await check("the users");
        await page.getByRole("button", { name: "New user" }).click();
        await page.getByRole("button", { name: "Create", exact: true }).click();
        await page.locator("#user-form [aria-invalid=true]").first().waitFor();
        await check("the dialog");
        await page.getByRole("button", { name: "Cancel" }).click();
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByText("Paste a token first.").waitFor();
        await check("signing in");
        await page.context().close();
      });
    }
  }
});
