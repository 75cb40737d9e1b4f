// `npm run verify` runs the checks that take too long for CI, in hours, and writes the result of each into docs/last-verify.md.
// `npm run verify -- fuzz mixed` runs some of them, and `-- --list` lists them. `-- --resume --minutes 20` runs checks that have not passed on
// this commit yet, as many as fit into 20 minutes. Exit code 1 if one fails.
import { spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { type Check, checks } from "./checks.ts";
import { chooseChecks } from "./choose-checks.ts";
import { commitNow } from "./commit-now.ts";
import { type CheckRecord, findFigure, formatRecords, readRecords } from "./record.ts";

const root = dirname(dirname(import.meta.dirname));
const pageFile = join(root, "docs", "last-verify.md");
const logFolder = join(root, ".cache", "verify");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: "boolean" }, resume: { type: "boolean", default: false }, minutes: { type: "string" } },
});
const unknown = positionals.find((word) => !checks.some(({ name }) => name === word));
const minutes = Number(values.minutes ?? Number.POSITIVE_INFINITY);
const records = existsSync(pageFile) ? readRecords(readFileSync(pageFile, "utf8")) : [];
if (unknown !== undefined) {
  console.error(`unknown check "${unknown}"; npm run verify -- --list names them`);
  process.exitCode = 2;
} else if (!(minutes > 0)) {
  console.error(`invalid --minutes "${values.minutes}": expected a number above 0`);
  process.exitCode = 2;
} else {
  // The page of the records does not count: writing it does not change the code.
  const commit = commitNow(root, [".", ":!docs/last-verify.md"]);
  const chosen = chooseChecks(checks, records, {
    names: positionals,
    minutes,
    ...(values.resume && { passedOn: commit }),
  });
  if (values.list) {
    for (const { name, minutes, command } of chosen)
      console.log(`${name.padEnd(22)}${minutes} min  ${command.join(" ")}`);
  } else {
    process.exitCode = (await verify(chosen, commit)) ? 0 : 1;
  }
}

async function verify(chosen: readonly Check[], commit: string): Promise<boolean> {
  mkdirSync(logFolder, { recursive: true });
  let hasPassed = true;
  for (const check of chosen) {
    console.log(`\n== ${check.name}, about ${check.minutes} min`);
    const record = await runCheck(check, commit);
    hasPassed &&= record.hasPassed;
    records.push(record);
    // After each check, so that an interrupted run keeps its results.
    writeFileSync(
      pageFile,
      formatRecords(
        records,
        checks.map(({ name }) => name),
      ),
    );
    console.log(`== ${check.name}: ${record.hasPassed ? "passed" : "FAILED"}, ${record.figure}`);
  }
  return hasPassed;
}

async function runCheck({ name, command, env, figure }: Check, commit: string): Promise<CheckRecord> {
  const startMs = performance.now();
  const log = createWriteStream(join(logFolder, `${name}.log`));
  const [program, ...args] = command;
  const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      log.write(text);
      process.stdout.write(text);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  log.end();
  return {
    name,
    date: new Date().toISOString().slice(0, 10),
    commit,
    hasPassed: code === 0,
    minutes: (performance.now() - startMs) / 60_000,
    figure: findFigure(output, figure),
  };
}
