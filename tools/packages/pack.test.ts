// Builds and packs every public package, installs it in an empty project, and uses it there with plain Node, as users do.
// Long: it builds, packs and installs every package, and what a reader makes with them.
import assert from "node:assert/strict";
import {
  chownSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { problemAffectsResolutionKind } from "@arethetypeswrong/core/problems";
import { createAuthority, withoutOpenssl } from "@tercel/test-support/certificates";
import { startCommand } from "@tercel/test-support/programs";
import { createPostgresServer, freePorts, withoutPostgres } from "@tercel/test-support/servers";
import { buildSync } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { readMarkdown } from "../docs/read-markdown.ts";
import { publicPackages, type WorkspacePackage } from "../workspace-packages.ts";
import { builtFrom, hasBundle } from "./build-packages.ts";
import {
  bytesOf,
  cacheInImage,
  createImageStore,
  createNodeImage,
  findContained,
  inspectImage,
  nodeImage,
  withoutBuildah,
} from "./container-image.ts";
import { changeHandler, createReader, lendPackage, type Reader, startDev } from "./getting-started.ts";
import type { PackedPackage } from "./pack-packages.ts";
import { createPackedProject, runAsUser } from "./packed-project.ts";

const root = dirname(dirname(import.meta.dirname));
const packages = publicPackages(root);
const programs = join(import.meta.dirname, "packed-programs");
/**
 * esbuild makes one file for the code that the same entry points share, and these packages have up to twenty. One more file has the code that
 * @tercel/service shares with the YAML parser. It is loaded only if a configuration needs it, which saves more time than the file costs.
 */
const mostFilesLoaded = 21;
/** buf and its plugin from this repository. With the newest versions of a registry, the tests would depend on the date. */
const tools = { PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH}` };

describe("the packed packages", () => {
  let folder = "";
  let tarballs: ReadonlyMap<string, PackedPackage> = new Map();
  const run = (command: string, args: readonly string[], cwd = folder): string => runAsUser(command, args, cwd).stdout;
  const tarballOf = ({ name }: WorkspacePackage): string => {
    const packed = tarballs.get(name);
    assert.ok(packed !== undefined, `${name} was not packed`);
    return join(folder, packed.filename);
  };
  const pathsOf = ({ name }: WorkspacePackage): readonly string[] =>
    tarballs.get(name)?.files.map(({ path }) => path) ?? assert.fail(`${name} was not packed`);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-packed-"));
    tarballs = new Map(createPackedProject(root, folder).map((packed) => [packed.name, packed]));
    // Packages that a subpath always imports, so its users install them. Other optional packages are imported when they are used.
    for (const name of ["kysely", "ws", "@modelcontextprotocol"]) {
      symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
    }
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("contain code and types for every entry point, and no tests", () => {
    for (const one of packages) {
      const paths = pathsOf(one);
      const tests = paths.filter((path) => /\.test\.|(^|\/)test\//.test(path));
      assert.deepEqual(tests, [], one.name);
      const programs = [...one.programs.values()];
      const typed = [...one.entryPoints.values(), ...(hasBundle(root, one) ? [] : programs)];
      const files = [
        ...[...typed, ...programs].map((source) => builtFrom(one, source, ".js")),
        ...typed.map((source) => builtFrom(one, source, ".d.ts")),
      ];
      for (const file of files) {
        const built = file.slice(one.folder.length + 1);
        assert.ok(paths.includes(built), `${one.name} lacks ${built}`);
      }
    }
  });

  it("load few files of code from each entry point, because each file takes time when a program starts", () => {
    for (const one of packages) {
      for (const [entry, source] of one.entryPoints) {
        const count = filesLoadedWith(join(root, builtFrom(one, source, ".js"))).size;
        assert.ok(count <= mostFilesLoaded, `${entry} loads ${count} files of its package`);
      }
    }
  });

  it("contain the licence, and no files that only the compiler needs", () => {
    for (const one of packages) {
      const paths = pathsOf(one);
      assert.ok(paths.includes("LICENSE"), one.name);
      assert.ok(!paths.some((path) => path.endsWith(".tsbuildinfo")), one.name);
    }
  });

  it("contain a README whose links work on the page of a registry, which shows no other file of the package", () => {
    for (const one of packages) {
      assert.ok(pathsOf(one).includes("README.md"), one.name);
      const text = readFileSync(join(root, one.folder, "README.md"), "utf8");
      const relative = readMarkdown(text).links.filter(({ target }) => !/^(https:|#)/.test(target));
      assert.deepEqual(relative, [], one.name);
    }
  });

  it("satisfy publint, suggestions included", async () => {
    for (const one of packages) {
      const { buffer: tarball } = new Uint8Array(readFileSync(tarballOf(one)));
      const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
      assert.deepEqual(
        messages.map((message) => formatMessage(message, pkg, { color: false })),
        [],
        one.name,
      );
    }
  });

  it("have types that match the code for every ESM user (are the types wrong?, profile esm-only)", async () => {
    for (const one of packages.filter(({ entryPoints }) => entryPoints.size > 0)) {
      const tarball = new Uint8Array(readFileSync(tarballOf(one)));
      const analysis = await checkPackage(createPackageFromTarballData(tarball));
      assert.ok(analysis.types !== false, `${one.name} has no types`);
      const subpaths = [...one.entryPoints.keys()].map((entry) => `.${entry.slice(one.name.length)}`);
      const found = Object.keys(analysis.entrypoints).filter((subpath) => !subpath.endsWith(".json"));
      assert.deepEqual(found.toSorted(), subpaths.toSorted(), one.name);
      // Without resolutions that ignore "exports" (Node 10), and without require() from CommonJS.
      const problems = analysis.problems.filter((problem) =>
        (["node16-esm", "bundler"] as const).some((kind) => problemAffectsResolutionKind(problem, kind, analysis)),
      );
      assert.deepEqual(problems, [], one.name);
    }
  });

  it("pass a dry run of npm publish as public packages, without a correction by npm", () => {
    for (const one of packages) {
      const { stdout, stderr } = runAsUser("npm", ["publish", "--dry-run", "--offline", tarballOf(one)], folder);
      assert.ok(stdout.includes(`+ ${one.name}@${one.version}`), stdout + stderr);
      const notices = stderr.split("\n").filter((line) => /corrected| access \(dry-run\)$/.test(line));
      assert.equal(notices.length, 1, notices.join("\n"));
      assert.match(notices[0] ?? "", / public access /);
    }
  });

  it("contain the protos of their generated code", () => {
    for (const one of packages) {
      for (const entry of one.entryPoints.keys()) {
        const generated = /\/gen\/(.+)_pb\.js$/.exec(entry);
        if (generated !== null)
          assert.ok(pathsOf(one).includes(`proto/${generated[1]}.proto`), `${one.name} lacks ${entry}'s proto`);
      }
    }
  });

  it("have the same exports at each entry point as the sources, and the same object for a name that several export", () => {
    const entries = packages.flatMap((one) => [...one.entryPoints]);
    const programOf = (modules: readonly string[]): string => `
      const modules = [];
      for (const name of ${JSON.stringify(modules)}) modules.push(await import(name));
      const names = modules.map((module) => Object.keys(module));
      const shared = modules.map((module, index) => names[index].filter((name) =>
        modules.some((other, at) => at < index && other[name] !== undefined && other[name] === module[name])));
      console.log(JSON.stringify({ names, shared }));
    `;
    writeFileSync(join(folder, "main.js"), programOf(entries.map(([entry]) => entry)));
    writeFileSync(join(folder, "sources.js"), programOf(entries.map(([, source]) => join(root, source))));
    const exported = JSON.parse(run(process.execPath, ["main.js"])) as { names: string[][]; shared: string[][] };
    assert.ok(exported.names.every((names) => names.length > 0));
    assert.deepEqual(exported, JSON.parse(run(process.execPath, ["--conditions=source", "sources.js"])));
    // A condition of that name in the workspace of a user does not select our sources.
    assert.deepEqual(exported, JSON.parse(run(process.execPath, ["--conditions=source", "main.js"])));
  });

  it("contain the command line, which needs no other package, and the protos that services import, in 1.5 MB", () => {
    const cli = packages.find(({ name }) => name === "tercel");
    assert.ok(cli !== undefined);
    assert.equal(run(join(folder, "node_modules", ".bin", "tercel"), ["--version"]), `${cli.version}\n`);
    assert.match(
      run(join(folder, "node_modules", ".bin", "tercel"), ["--help"]),
      /^Usage: tercel <command> \[options\]/,
    );
    assert.ok(pathsOf(cli).includes("dist/proto/validate/validate.proto"));
    assert.ok(pathsOf(cli).includes("dist/THIRD-PARTY-LICENSES.txt"));
    assert.ok(statSync(tarballOf(cli)).size <= 1_500_000);
    assert.deepEqual([...cli.dependencies], []);
  });

  it("run WimGuard, from a new configuration to a compared restore, and its client library", async (t) => {
    const place = mkdtempSync(join(tmpdir(), "tercel-packed-wimguard-"));
    t.after(() => rmSync(place, { recursive: true, force: true }));
    const [source, data, cache] = [join(place, "papers"), join(place, "data"), join(place, "cache")];
    mkdirSync(source);
    writeFileSync(join(source, "notes"), "to be kept\n");
    // Without the test runner's compile cache, the program opens its own.
    const env = { WIMGUARD_DIR: data, XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: "" };
    const npx = (...args: readonly string[]): string => runAsUser("npx", ["wimguard", ...args], folder, env).stdout;
    const daemon = startCommand(t, join(folder, "node_modules", ".bin", "wimguard"), ["server", "--port=0"], env);
    assert.match(await daemon.line(), /^listening on 127\.0\.0\.1:\d+$/);
    npx("backup", "--source", source, "--destination", join(place, "papers.tar.zst"));
    const [, uuid = ""] = /"uuid":"([^"]+)"/.exec(npx("list", "--json")) ?? [];
    npx("restore", uuid, "--target", join(place, "restored"), "--verify");
    assert.equal(readFileSync(join(place, "restored", "notes"), "utf8"), "to be kept\n");
    const program =
      'import { connect } from "@tercel/wimguard"; const wim = await connect(); console.log((await wim.backup.listBackups({})).total); await wim.close();';
    writeFileSync(join(folder, "wimguard.js"), program);
    assert.equal(runAsUser(process.execPath, ["wimguard.js"], folder, env).stdout, "1\n");
    daemon.signal("SIGTERM");
    assert.deepEqual(await daemon.ended, [0, null]);
    const compiled = join(cache, "wimbackup", "compiled");
    assert.equal(statSync(compiled).mode & 0o777, 0o700);
    assert.notDeepEqual(readdirSync(compiled), []);
  });

  it("create the same service with npm create tercel as with tercel new", () => {
    const listed = (program: string, ...args: readonly string[]): string =>
      run(join(folder, "node_modules", ".bin", program), [...args, "order-service", "--dry-run", "--yes"]);
    assert.match(listed("create-tercel"), /^src\/orders\.ts$/m);
    assert.equal(listed("create-tercel"), listed("tercel", "new"));
  });

  it("create a service with the command line that generates its code and passes its tests and its type check", () => {
    const made = ["new", "user-service", "--yes", "--no-install", "--no-git"];
    runAsUser(join(folder, "node_modules", ".bin", "tercel"), made, folder, tools);
    const service = join(folder, "user-service");
    // With the packages that the project has installed.
    run(join(folder, "node_modules", ".bin", "tercel"), ["db", "migrate"], service);
    assert.match(
      run(join(folder, "node_modules", ".bin", "tercel"), ["db", "status"], service),
      /^0001_users {2}\d{4}-/m,
    );
    run(process.execPath, ["--test", "test/**/*.test.ts"], service);
    const typeRoots = ["--typeRoots", join(root, "node_modules", "@types")];
    run(join(root, "node_modules", ".bin", "tsc"), ["-p", service, ...typeRoots], folder);
  });

  it("follow the guide from an empty folder to Kubernetes manifests", async (t) => {
    const reader = createReader(t, packages.map(tarballOf));
    const { service, step, run: follow, time } = reader;
    const startedAtMs = performance.now();
    await time("new", () => follow(step("npx --yes ../tercel-packages")));
    await time("install, generate, test", () => follow(step("npm install")));
    const dev = await startDev(t, reader);
    const [, metrics = ""] = await time("dev", () => dev.line(/metrics at (\S+) /));
    await dev.line(/try: npx tercel call /);
    const created = await time("call", () =>
      follow(step("npx tercel call user.v1.UserService/CreateUser -d name=' Ada '")),
    );
    assert.equal((JSON.parse(created) as { user: { name: string } }).user.name, " Ada ");
    const firstCallSeconds = (performance.now() - startedAtMs) / 1000;
    t.diagnostic(`first call after ${firstCallSeconds.toFixed(1)} s, with nothing in npm's cache at the beginning`);
    assert.ok(firstCallSeconds < 300, "less than five minutes");
    const page = follow(step("curl ").replace("http://127.0.0.1:9464/metrics", metrics));
    assert.match(page, /^grpc_server_requests_total\{.*"CreateUser".*status="OK".*\} 1$/m);
    changeHandler(reader);
    const [, took = ""] = await dev.line(/again, (.+) after the change of src\/users\.ts/);
    t.diagnostic(`change served: ${took}`);
    const changed = follow(step("npx tercel call user.v1.UserService/CreateUser -d name=' Grace '"));
    assert.equal((JSON.parse(changed) as { user: { name: string } }).user.name, "Grace");
    await dev.stop();
    await time("deploy", () => follow(step("npx tercel deploy docker")));
    assert.ok(existsSync(join(service, "deploy/Dockerfile")));
    assert.ok(existsSync(join(service, "deploy/k8s/deployment.yaml")));

    await t.test(
      "buildah builds the image on this machine's Node and runs it",
      { skip: withoutBuildah || withoutOpenssl },
      async (t) => runImage(t, reader),
    );

    // The content of the image, and the same without esbuild.
    follow("npx tercel build --no-bundle");
    t.diagnostic(follow("npx tercel build 2>&1").trim());
    assert.match(follow("node dist/main.js --check-config"), /^the configuration is valid/);
  });

  it("create a service on PostgreSQL with the same steps", { skip: withoutPostgres }, async (t) => {
    const reader = createReader(t, packages.map(tarballOf));
    const { service, step, run: follow } = reader;
    const postgres = await createPostgresServer();
    t.after(() => postgres.dispose());
    await postgres.start();
    follow(step("npx --yes ../tercel-packages").replace("--with-database=sqlite", "--with-database=postgres"));
    // The test before has installed the same packages.
    cpSync(join(folder, "node_modules"), join(service, "node_modules"), { recursive: true, verbatimSymlinks: true });
    for (const name of ["pg", "@bufbuild/buf"]) lendPackage(reader, name);
    follow("npm run generate");
    const DATABASE_URL = `postgres://postgres@127.0.0.1:${postgres.port}/postgres`;
    const dev = await startDev(t, reader, { DATABASE_URL });
    await dev.line(/try: npx tercel call /);
    const created = follow(step("npx tercel call user.v1.UserService/CreateUser -d name=' Ada '"));
    assert.equal((JSON.parse(created) as { user: { email: string } }).user.email, "ada@example.com");
    await dev.stop();
  });

  it("can be required by a CommonJS program, without a warning", () => {
    cpSync(join(programs, "require.cjs"), join(folder, "require.cjs"));
    const { stdout, stderr } = runAsUser(process.execPath, ["require.cjs"], folder);
    assert.equal(stdout, "status 1\n");
    assert.equal(stderr, "");
  });

  it("show the sources in stack traces when Node reads source maps", () => {
    const program =
      'import { createServer } from "@tercel/grpc"; try { createServer({ route: 1 }); } catch (e) { console.log(e.stack); }';
    writeFileSync(join(folder, "stack.js"), program);
    const stack = run(process.execPath, ["--enable-source-maps", "stack.js"]);
    assert.match(stack, /node_modules\/@tercel\/grpc\/src\/server\/server\.ts:\d+:\d+/);
  });

  it("run the first service of the README, beginning with its contract", async (t) => {
    const hello = join(folder, "hello");
    const { snippets } = readMarkdown(readFileSync(join(root, "README.md"), "utf8"));
    for (const { marks, text } of snippets) {
      const file = marks.find((mark) => mark.startsWith("file=examples/hello/"))?.slice("file=examples/hello/".length);
      if (file === undefined) continue;
      mkdirSync(dirname(join(hello, file)), { recursive: true });
      writeFileSync(join(hello, file), `${text}\n`);
    }
    runAsUser("buf", ["generate"], hello, tools);
    const server = startCommand(t, process.execPath, [join(hello, "server.ts")], { PORT: "0" });
    const address = (await server.line()).replace("listening on ", "");
    assert.equal(run(process.execPath, [join(hello, "client.ts"), address]), "Hello, Ada!\n3\n2\n1\n");
    server.signal("SIGINT");
    assert.deepEqual(await server.ended, [0, null]);
  });

  it("compile a service with validation and access rules with the configuration in the guide", () => {
    const project = join(folder, "generated");
    mkdirSync(project);
    symlinkSync(join(folder, "node_modules"), join(project, "node_modules"));
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "generated", private: true, type: "module" }));
    const { snippets } = readMarkdown(readFileSync(join(root, "docs/guides/generated-code.md"), "utf8"));
    for (const { text } of snippets) {
      // The files in the guide begin with their name.
      const name = /^(?:#|\/\/) ([\w./-]+\.(?:yaml|proto|ts))\n/.exec(text)?.[1];
      if (name === undefined) continue;
      mkdirSync(dirname(join(project, name)), { recursive: true });
      writeFileSync(join(project, name), text);
    }
    runAsUser("buf", ["generate"], project, tools);
    assert.equal(run(process.execPath, ["main.ts"], project), "compiled, validated and guarded\n");
  });

  it("install together with the packages that the pages say to install", () => {
    const pages = globSync(["packages/*/src/*/README.md", "docs/guides/*.md"], { cwd: root });
    const commands = pages.flatMap((page) => {
      const { snippets } = readMarkdown(readFileSync(join(root, page), "utf8"));
      return snippets.flatMap(({ text }) => text.replaceAll("\\\n", " ").match(/^npm install .*$/gm) ?? []);
    });
    // Until Tercel is published, its packages cannot be installed by name.
    const outside = new Set(
      commands
        .filter((command) => !/@tercel\/|tercel-packages/.test(command))
        .map((command) => command.replace(/\s+/g, " ")),
    );
    assert.ok([...outside].some((command) => command.includes("@opentelemetry/")));
    /** Resolves all packages without downloading them, and restores the files that npm writes. */
    const resolve = (words: readonly string[]): void => {
      const files = ["package-lock.json", "package.json"].map((name) => join(folder, name));
      const texts = files.map((file) => readFileSync(file));
      try {
        run("npm", ["install", ...words, "--package-lock-only", "--prefer-offline", "--no-audit", "--no-fund"]);
      } finally {
        for (const [at, file] of files.entries()) writeFileSync(file, texts[at] ?? "");
      }
    };
    const wordsOf = [...outside].map((command) => command.split(" ").slice(2));
    try {
      // Packages that can be installed together can also be installed one by one.
      resolve(wordsOf.flat());
    } catch {
      for (const words of wordsOf) resolve(words);
    }
  });

  it("bundle into one file with every interceptor, which runs where nothing is installed", async (t) => {
    cpSync(join(programs, "full-server.ts"), join(folder, "full-server.ts"));
    const alone = mkdtempSync(join(tmpdir(), "tercel-bundle-"));
    t.after(() => rmSync(alone, { recursive: true, force: true }));
    buildSync({
      absWorkingDir: folder,
      entryPoints: ["full-server.ts"],
      outfile: join(alone, "server.mjs"),
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node22.18",
      // CommonJS packages such as pino call require(), which ES modules do not have.
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
      logLevel: "error",
    });
    const server = startCommand(t, process.execPath, [join(alone, "server.mjs")]);
    assert.equal(await server.line(), "status 1");
    assert.deepEqual(await server.ended, [0, null]);
  });

  it("resolve for a type checker without our conditions", () => {
    const entries = packages.flatMap((one) => [...one.entryPoints.keys()]);
    const lines = entries.map((entry, index) => `import * as entry${index} from "${entry}"; void entry${index};`);
    writeFileSync(join(folder, "types.ts"), lines.join("\n"));
    const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2023", "--lib", "es2023,dom"];
    const typeRoots = join(root, "node_modules", "@types");
    const compiler = join(root, "node_modules", ".bin", "tsc");
    run(compiler, [...options, "--typeRoots", typeRoots, "--types", "node", "types.ts"]);
  });

  it("install no second copy of a shared package", () => {
    const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")) as {
      packages: Record<string, unknown>;
    };
    // Our interfaces use classes and types of these packages. Two copies would not recognise each other's.
    const shared = new Set(packages.flatMap((one) => [one.name, ...one.dependencies]));
    // Users install optional packages themselves.
    for (const name of packages.flatMap((one) => optionalPeersOf(one.folder))) shared.delete(name);
    const copies = Object.keys(lock.packages).filter((path) => shared.has(path.split("node_modules/").at(-1) ?? ""));
    assert.deepEqual(copies.toSorted(), [...shared].map((name) => `node_modules/${name}`).toSorted());
  });
});

/** Builds the image of the guide's service and runs it like compose: migrates it, calls it, checks its health and stops it. */
async function runImage(t: TestContext, { service, tarballs, npmCache, run, step, time }: Reader): Promise<void> {
  const store = createImageStore(t);
  const image = "localhost/user-service";
  await time("base of the image", () => createNodeImage(store, { tarballs }));
  const file = "deploy/Dockerfile";
  const args = ["bud", "--format", "docker", "--build-arg", `NODE_IMAGE=${nodeImage}`, "--tag", image];
  const places = ["--ignorefile", `${file}.dockerignore`, "--volume", `${npmCache}:${cacheInImage}`, "--file", file];
  await time("image", () => store.run([...args, ...places, "."], service));

  const config = inspectImage(store, image);
  assert.equal(config.User, "65532:65532");
  assert.deepEqual(Object.keys(config.ExposedPorts).toSorted(), ["50051/tcp", "9464/tcp"]);
  const container = store.run(["from", image]).trim();
  const appBytes = bytesOf(join(store.run(["mount", container]).trim(), "app"));
  t.diagnostic(`the service in the image: ${(appBytes / 1e6).toFixed(1)} MB`);
  assert.ok(appBytes <= 6_000_000, `${appBytes} bytes`);

  const { tls, data } = imageFolders(t);
  // Buildah does not order mounts at one path. In some runs the volume that the image declares would hide ours, and the database in it.
  store.run(["config", "--volume", "/app/data-", container]);
  const [port, metricsPort] = await freePorts(2);
  const ownPort = `TERCEL__SERVICE__PORT=${port}`;
  const variables = [
    "TLS_CERT_FILE=/etc/tls/tls.crt",
    "TLS_KEY_FILE=/etc/tls/tls.key",
    ownPort,
    `TERCEL__MONITORING__PROVIDERS__PROMETHEUS__ENDPOINT=127.0.0.1:${metricsPort}`,
  ];
  const inContainer = (command: readonly string[]): readonly string[] => [
    ...["run", "--volume", `${data}:/app/data`, "--volume", `${tls}:/etc/tls:ro`],
    ...variables.flatMap((variable) => ["--env", variable]),
    ...[container, "--", ...command],
  ];
  assert.equal(store.run(inContainer(["node", "-p", "process.getuid()"])).trim(), "65532");
  const program = "try { require('node:fs').writeFileSync('dist/main.js', ''); } catch (e) { console.log(e.code); }";
  assert.equal(store.run(inContainer(["node", "-e", program])).trim(), "EACCES");
  store.run(inContainer(["node", "dist/main.js", "--migrate"]));
  const server = store.start(inContainer(config.Cmd));
  while (!(await server.line()).includes('"message":"ready"'));
  const call = step("npx tercel call user.v1.UserService/CreateUser -d name=' Ada '");
  const proto = "--proto proto/user/v1/user.proto -I proto";
  const created = run(`${call} --target 127.0.0.1:${port} --tls-ca ${join(tls, "ca.crt")} ${proto}`);
  assert.equal((JSON.parse(created) as { user: { name: string } }).user.name, "Ada");
  const [kind, ...healthcheck] = config.Healthcheck.Test;
  assert.equal(kind, "CMD");
  store.run(inContainer(healthcheck));
  const page = run(`curl --silent http://127.0.0.1:${metricsPort}/metrics`);
  assert.match(page, /^grpc_server_requests_total\{.*"CreateUser"/m);
  process.kill(findContained(config.Cmd, ownPort), "SIGTERM");
  assert.deepEqual(await server.ended, [0, null]);
}

/** The mounted folders of the container: a certificate, and a folder for the database. Both belong to the image's user. */
function imageFolders(t: TestContext): { readonly tls: string; readonly data: string } {
  const make = (name: string): string => {
    const folder = mkdtempSync(join(tmpdir(), `tercel-image-${name}-`));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    chownSync(folder, 65_532, 65_532);
    return folder;
  };
  const [tls, data] = [make("tls"), make("data")];
  const authority = createAuthority();
  t.after(() => authority.dispose());
  const { key, cert } = authority.issue({ names: ["DNS:localhost", "IP:127.0.0.1"] });
  for (const [name, pem] of [
    ["tls.crt", cert],
    ["tls.key", key],
    ["ca.crt", authority.cert],
  ] as const) {
    writeFileSync(join(tls, name), pem);
    chownSync(join(tls, name), 65_532, 65_532);
  }
  return { tls, data };
}

/** Returns the files that are loaded with a file of a package: itself and its static imports. */
function filesLoadedWith(file: string, loaded = new Set<string>()): ReadonlySet<string> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(/(?:\bfrom |^import )"(\.{1,2}\/[^"]+)";$/gm)) {
    filesLoadedWith(join(dirname(file), specifier), loaded);
  }
  return loaded;
}

function optionalPeersOf(folder: string): string[] {
  const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as {
    peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  };
  return Object.entries(manifest.peerDependenciesMeta ?? {})
    .filter(([, { optional }]) => optional === true)
    .map(([name]) => name);
}
