import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { parseFilter, parseOrderBy } from "@tercel/aip";
import { type Database, database, defineService, events } from "@tercel/service";
import { type TestedService, testService } from "@tercel/service/testing";
import { joinName } from "./person-name.ts";
import type { StoredRole } from "./user-row.ts";
import { createUserSearch, type UserCursor, type UserPage, userListFields } from "./user-search.ts";
import { createUserStore } from "./user-store.ts";

let service: TestedService;
let db: Database;
beforeEach(async () => {
  const definition = defineService({
    needs: { db: database({ migrations: new URL("../migrations/", import.meta.url) }), events: events() },
    routes(_router, parts) {
      db = parts.db;
    },
  });
  service = await testService(definition);
  let nowMs = Date.parse("2026-01-31T12:00:00.000Z");
  const store = createUserStore(db, { nowMs: () => nowMs });
  const people: [string, string, StoredRole][] = [
    ["Ada", "Lovelace", 2],
    ["Eve", "Adams", 1],
    ["Bob", "Adams", 3],
    ["Cy", "Lovelace", 1],
  ];
  for (const [first, last, role] of people) {
    await store.create({ name: joinName(first, last), email: `${first}@x.org`, role });
    // Ada and Eve were created in the same millisecond.
    if (first !== "Ada") nowMs += 500;
  }
});
afterEach(() => service.stop());

function find(filter: string, orderBy = "", limit = 10, after?: UserCursor): Promise<UserPage> {
  return createUserSearch(db)({
    filter: parseFilter(filter, userListFields),
    order: parseOrderBy(orderBy, userListFields),
    after,
    limit,
  });
}
const namesOf = (page: UserPage) => page.users.map(({ firstName }) => firstName).join(" ");

/** Reads all pages of this size, one after the other. */
async function pagesOf(filter: string, orderBy: string, limit: number): Promise<string[]> {
  const pages: string[] = [];
  let after: UserCursor | undefined;
  do {
    const page = await find(filter, orderBy, limit, after);
    pages.push(namesOf(page));
    after = page.next;
  } while (after !== undefined);
  return pages;
}

const filters = [
  { filter: "", finds: "Ada Eve Bob Cy" },
  { filter: "role:USER_ROLE_ADMIN", finds: "Ada" },
  { filter: "NOT role = USER_ROLE_USER", finds: "Ada Bob" },
  { filter: 'last_name = Adams AND first_name = "Eve"', finds: "Eve" },
  { filter: "email = E*@x.org OR first_name = Cy", finds: "Eve Cy" },
  { filter: "created_at > 2026-01-31", finds: "Ada Eve Bob Cy" },
  { filter: 'created_at > "2026-01-31T12:00:00Z"', finds: "Bob Cy" },
  { filter: 'created_at = "2026-01-31T12:00:00.5Z"', finds: "Bob" },
  { filter: 'created_at < "2026-01-31T12:00:00.0001Z"', finds: "Ada Eve" },
  { filter: `first_name = "' OR 1=1 --"`, finds: "" },
];

for (const { filter, finds } of filters) {
  test(`the filter ${JSON.stringify(filter)} finds ${finds || "no one"}`, async () => {
    const page = await find(filter);
    assert.equal(namesOf(page), finds);
    assert.equal(page.total, page.users.length);
  });
}

const orders = [
  { orderBy: "", pages: ["Ada Eve", "Bob Cy"] },
  { orderBy: "created_at", pages: ["Ada Eve", "Bob Cy"] },
  { orderBy: "created_at desc", pages: ["Cy Bob", "Eve Ada"] },
  { orderBy: "first_name", pages: ["Ada Bob", "Cy Eve"] },
  { orderBy: "last_name, first_name desc", pages: ["Eve Bob", "Cy Ada"] },
  { orderBy: "last_name desc, created_at", pages: ["Ada Cy", "Eve Bob"] },
  { orderBy: "role desc", pages: ["Bob Ada", "Cy Eve"] },
];

for (const { orderBy, pages } of orders) {
  test(`the order ${JSON.stringify(orderBy)} is the same for pages of any size`, async () => {
    assert.deepEqual(await pagesOf("", orderBy, 2), pages);
    const inOrder = pages.join(" ");
    assert.deepEqual(await pagesOf("", orderBy, 1), inOrder.split(" "));
    assert.deepEqual(await pagesOf("", orderBy, 4), [inOrder]);
  });
}

test("the total counts the users on all pages", async () => {
  const page = await find("last_name = Adams", "", 1);
  assert.equal(page.total, 2);
  assert.notEqual(page.next, undefined);
  assert.equal((await find("last_name = Adams", "", 1, page.next)).next, undefined);
});
