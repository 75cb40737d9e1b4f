import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { it } from "node:test";

const source = JSON.stringify(import.meta.resolve("./pino-log.ts"));

function run(program: string, flags: readonly string[] = []) {
  const all = ["--conditions=source", ...flags, "--input-type=module", "-e", program];
  return spawnSync(process.execPath, all, { encoding: "utf8", env: { ...process.env, TERCEL_WORKER: "2" } });
}

it("writes pino's lines to standard output, with the service and the worker, and drops lesser ones", () => {
  const { stdout, stderr } = run(`
    import { openPinoLog } from ${source};
    const { log, setLogLevel } = await openPinoLog("orders", "info");
    log.debug("dropped");
    log.info("listening", { port: 1 });
    console.log(log.isLevelEnabled("debug"));
    setLogLevel("debug");
    console.log(log.isLevelEnabled("debug"));
  `);
  const [line = "", ...enabled] = stdout.trimEnd().split("\n");
  const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT/, stderr);
  assert.deepEqual(rest, { level: "info", service: "orders", worker: 2, port: 1, message: "listening" });
  assert.deepEqual(enabled, ["false", "true"]);
});

it("says what to install where pino is missing", () => {
  const hooks = `
    import { registerHooks } from "node:module";
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier !== "pino") return next(specifier, context);
        throw Object.assign(new Error("Cannot find package 'pino'"), { code: "ERR_MODULE_NOT_FOUND" });
      },
    });`;
  const { stdout, stderr } = run(
    `import { openPinoLog } from ${source}; await openPinoLog("orders", "info").catch(({ message }) => console.log(message));`,
    [`--import=data:text/javascript,${encodeURIComponent(hooks)}`],
  );
  assert.equal(stdout, "logging pino needs the package pino: npm install pino@^10\n", stderr);
});
