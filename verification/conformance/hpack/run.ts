import { compareWithNodeClient, compareWithNodeServer } from "./node-http2.ts";
import { compareWithPython, findPython } from "./python-hpack.ts";

const seeds = [1, 20_260_614];

/**
 * Tests HPACK with other implementations: node:http2 and Python's hpack must decode what Tercel's encoder writes,
 * and Tercel's decoder must decode what they write.
 */
export async function runHpack(): Promise<boolean> {
  const suites: [name: string, run: (seed: number) => Promise<number>][] = [
    ["our client with node:http2's server", compareWithNodeServer],
    ["our server with node:http2's client", compareWithNodeClient],
  ];
  const found = findPython();
  if ("python" in found) suites.push(["Python's hpack", (seed) => compareWithPython(found.python, seed)]);
  else console.log(`skipped Python's hpack: ${found.missing}`);
  let passed = true;
  for (const [name, run] of suites) {
    try {
      let lists = 0;
      for (const seed of seeds) lists += await run(seed);
      console.log(`${name}: ${lists} lists each way`);
    } catch (error) {
      passed = false;
      console.error(`${name}: ${(error as Error).stack}`);
    }
  }
  return passed;
}
