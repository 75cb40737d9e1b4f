import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { CommandFailure } from "../../frame/failure.ts";
import { isInput, isOfBuild } from "./build.ts";
import { readBuilds } from "./read-builds.ts";

/** A project with a page, and a `tercel.yaml`. */
function project(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-builds-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "web/page"), { recursive: true });
  writeFileSync(join(folder, "web/build.ts"), "");
  writeFileSync(join(folder, "tercel.yaml"), text);
  return folder;
}

const services = ["user-service", "order-service"];

function refusal(t: TestContext, text: string): string {
  const folder = project(t, text);
  try {
    readBuilds([folder], folder, services);
  } catch (error) {
    assert.ok(error instanceof CommandFailure);
    assert.equal(error.exitCode, 4);
    return error.message;
  }
  return assert.fail("it was taken");
}

describe("the builds of tercel.yaml", () => {
  it("are read with paths from its folder, and lists that may be one text", (t) => {
    const folder = project(
      t,
      `services: [a, b]
builds:
  - name: page
    entry: web/build.ts
    output: web/dist
    watch: web/page
    shared: [src/gen]
    restart: user-service
  - name: docs
    command: npx typedoc
    output: site
    watch: [web/page, web/build.ts]
`,
    );
    assert.deepEqual(readBuilds([folder, folder, join(folder, "web")], folder, services), [
      {
        name: "page",
        folder,
        program: { entry: join(folder, "web/build.ts") },
        output: join(folder, "web/dist"),
        watch: [join(folder, "web/page")],
        shared: [join(folder, "src/gen")],
        restart: ["user-service"],
      },
      {
        name: "docs",
        folder,
        program: { command: "npx typedoc" },
        output: join(folder, "site"),
        watch: [join(folder, "web/page"), join(folder, "web/build.ts")],
        shared: [],
        restart: [],
      },
    ]);
    for (const text of ["", "services: [a]\n", "builds:\n", "name: x\nunknown: 1\n"]) {
      const none = project(t, text);
      assert.deepEqual(readBuilds([none], none, services), []);
    }
  });

  for (const [what, text, message] of [
    ["a key that is nearly one", "build: []\n", "tercel.yaml:1:1: unknown key build; did you mean builds?"],
    ["what is not YAML", "builds: 'web\n", "tercel.yaml:2:1: Missing closing 'quote"],
    ["no list", "builds: web\n", "tercel.yaml:1:9: invalid builds: expected a list"],
    ["an entry that is not a map", "builds: [web]\n", "tercel.yaml:1:10: invalid build: expected a map"],
    [
      "an unknown key",
      "builds:\n  - name: page\n    entry: web/build.ts\n    ouput: web/dist\n",
      'tercel.yaml:4:5: unknown key "ouput" of a build; did you mean output?',
    ],
    [
      "a key without a near one",
      "builds:\n  - minify: true\n",
      'tercel.yaml:2:5: unknown key "minify" of a build; known keys: name, entry, command, output, watch, shared, restart',
    ],
    ["no name", "builds:\n  - output: web/dist\n", "tercel.yaml:2:5: build without a name"],
    [
      "no program",
      "builds:\n  - name: page\n    output: web/dist\n    watch: web/page\n",
      "tercel.yaml:2:5: build page needs either entry, a file that Node runs, or command, a command line",
    ],
    [
      "two programs",
      "builds:\n  - name: page\n    entry: web/build.ts\n    command: make\n    output: web/dist\n",
      "tercel.yaml:2:5: build page needs either entry, a file that Node runs, or command, a command line",
    ],
    [
      "no output",
      "builds:\n  - name: page\n    entry: web/build.ts\n    watch: web/page\n",
      "tercel.yaml:2:5: build page without output, the file or folder that it writes",
    ],
    [
      "nothing to watch",
      "builds:\n  - name: page\n    entry: web/build.ts\n    output: web/dist\n",
      "tercel.yaml:2:5: build page without watch, the files and folders that it reads",
    ],
    [
      "a program that does not exist",
      "builds:\n  - name: page\n    entry: web/biuld.ts\n    output: web/dist\n    watch: web/page\n",
      "tercel.yaml:3:12: web/biuld.ts does not exist",
    ],
    [
      "a folder that does not exist",
      "builds:\n  - name: page\n    entry: web/build.ts\n    output: web/dist\n    watch: [web/pages]\n",
      "tercel.yaml:5:13: web/pages does not exist",
    ],
    [
      "a map among paths",
      "builds:\n  - name: page\n    entry: web/build.ts\n    output: web/dist\n    watch:\n      - a: b\n",
      "tercel.yaml:6:9: expected a text, or a list of texts",
    ],
    [
      "an output that contains what is read",
      "builds:\n  - name: page\n    entry: web/build.ts\n    output: web\n    watch: web/page\n",
      "tercel.yaml:4:13: build page reads web/page, which is in its output web",
    ],
    [
      "an unknown service",
      "builds:\n  - name: page\n    entry: web/build.ts\n    output: web/dist\n    watch: web/page\n    restart: usr-service\n",
      'tercel.yaml:6:14: unknown service "usr-service"; did you mean user-service?',
    ],
    [
      "two of one name",
      "builds:\n  - &page\n    name: page\n    entry: web/build.ts\n    output: web/dist\n    watch: web/page\n  - name: page\n",
      "tercel.yaml:7:11: duplicate build page",
    ],
  ] as const) {
    it(`are refused with the place: ${what}`, (t) => {
      assert.equal(refusal(t, text), message);
    });
  }

  it("name the file of a service from the folder of the command", (t) => {
    const root = project(t, "");
    writeFileSync(join(root, "web/tercel.yaml"), "builds: 1\n");
    assert.throws(() => readBuilds([root, join(root, "web")], root, services), {
      message: "web/tercel.yaml:1:9: invalid builds: expected a list",
    });
  });
});

it("a file is read by a build alone, by services too, or by neither", () => {
  const build = {
    name: "page",
    folder: "/p",
    program: { entry: "/p/build.ts" },
    output: "/p/web/dist",
    watch: ["/p/web"],
    shared: ["/p/src/gen", "/p/web/shared"],
    restart: [],
  };
  const files = [
    ["/p/build.ts", true, true],
    ["/p/web/main.ts", true, true],
    ["/p/web/deep/style.css", true, true],
    ["/p/web/dist/main.js", false, true],
    ["/p/web/.main.ts.swp", false, true],
    ["/p/web/main.ts~", false, true],
    ["/p/web/shared/names.ts", true, false],
    ["/p/src/gen/user_pb.ts", true, false],
    ["/p/src/main.ts", false, false],
    ["/p/website/main.ts", false, false],
  ] as const;
  for (const [file, input, own] of files) {
    assert.deepEqual([file, isInput(build, file), isOfBuild(build, file)], [file, input, own]);
  }
});
