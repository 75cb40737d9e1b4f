import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { CommandFailure } from "../frame/failure.ts";
import { findServices, selectServices } from "./find-services.ts";

function folderWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-find-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

/** Names and folders of what is found, from the root on. */
function found(root: string): readonly string[] {
  return findServices(root).map(
    ({ name, folder, main }) => `${name} ${folder.slice(root.length)} ${main.slice(folder.length)}`,
  );
}

function failure(work: () => unknown): CommandFailure {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof CommandFailure);
    return error;
  }
  return assert.fail("it was taken");
}

describe("the services of a folder", () => {
  it("are the one that it holds, by the name in tercel.yaml, package.json or of the folder", (t) => {
    const recorded = { "src/main.ts": "", "tercel.yaml": "name: user-service\n", "package.json": '{"name": "other"}' };
    assert.deepEqual(found(folderWith(t, recorded)), ["user-service  /src/main.ts"]);
    const packaged = { "main.js": "", "config.yaml": "", "package.json": '{"name": "@shop/user-service"}' };
    assert.deepEqual(found(folderWith(t, packaged)), ["user-service  /main.js"]);
    const [service] = findServices(folderWith(t, { "src/main.ts": "", "config/default.yaml": "" }));
    assert.match(service?.name ?? "", /^tercel-find-/);
  });

  it("are those of its workspaces, without libraries", (t) => {
    const root = folderWith(t, {
      "package.json": '{"workspaces": ["services/*", "libraries/*"]}',
      "services/user/src/main.ts": "",
      "services/user/config.yaml": "",
      "services/order/src/main.ts": "",
      "services/order/package.json": '{"name": "order-service", "dependencies": {"@tercel/service": "1"}}',
      "libraries/text/src/main.ts": "",
      "tools/seed/src/main.ts": "",
      "tools/seed/config.yaml": "",
    });
    assert.deepEqual(found(root), ["order-service /services/order /src/main.ts", "user /services/user /src/main.ts"]);
  });

  it("are those of pnpm's workspace, of tercel.yaml, or in the usual places", (t) => {
    const services = {
      "a/one/main.ts": "",
      "a/one/config.yaml": "",
      "services/two/src/main.ts": "",
      "services/two/config.yaml": "",
    };
    assert.deepEqual(found(folderWith(t, { ...services, "pnpm-workspace.yaml": "packages:\n  - a/*\n" })), [
      "one /a/one /main.ts",
    ]);
    assert.deepEqual(found(folderWith(t, { ...services, "tercel.yaml": "services: [services/two, a/one]\n" })), [
      "two /services/two /src/main.ts",
      "one /a/one /main.ts",
    ]);
    assert.deepEqual(found(folderWith(t, services)), ["two /services/two /src/main.ts"]);
  });

  it("have names of their own: two of one name get that of their folder", (t) => {
    const root = folderWith(t, {
      "a/src/main.ts": "",
      "a/tercel.yaml": "name: same\n",
      "b/src/main.ts": "",
      "b/tercel.yaml": "name: same\n",
    });
    assert.deepEqual(found(root), ["a /a /src/main.ts", "b /b /src/main.ts"]);
  });

  it("are missed with a hint, and a list that is wrong is refused", (t) => {
    const none = failure(() => findServices(folderWith(t, { "src/index.ts": "" })));
    assert.equal(none.exitCode, 5);
    assert.match(none.message, /^no service in .*: neither it nor a subfolder has src\/main\.ts$/);
    for (const [text, message] of [
      ["services: user\n", /invalid services: expected a list of folders/],
      ["services: [absent]\n", /^tercel\.yaml: absent has no program/],
      ["a: [\n", /tercel\.yaml: /],
    ] as const) {
      const wrong = failure(() => findServices(folderWith(t, { "tercel.yaml": text })));
      assert.equal(wrong.exitCode, 4);
      assert.match(wrong.message, message);
    }
  });
});

describe("named services", () => {
  const services = [
    { name: "user", needs: ["order"] },
    { name: "order", needs: ["payment", "elsewhere"] },
    { name: "payment", needs: ["user"] },
    { name: "mail", needs: [] },
  ];
  const select = (names: readonly string[], isAlone = false): string[] =>
    selectServices(services, names, isAlone, ({ needs }) => needs).map(({ name }) => name);

  it("come with what they depend on, in the order of all, unless they are alone", () => {
    assert.deepEqual(select([]), ["user", "order", "payment", "mail"]);
    assert.deepEqual(select(["order"]), ["user", "order", "payment"]);
    assert.deepEqual(select(["mail", "user"], true), ["user", "mail"]);
  });

  it("are refused when there is none, with the nearest", () => {
    assert.equal(failure(() => select(["ordr"])).message, 'unknown service "ordr"; did you mean order?');
    assert.equal(failure(() => select(["something"])).hint, "known services: user, order, payment, mail");
  });
});
