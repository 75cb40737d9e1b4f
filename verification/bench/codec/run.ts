/** `npm run bench -- codec [shape …] [--rounds N] [--seconds S] [--json]` compares Tercel's codec with others. See README.md. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { median } from "../measure/statistics.ts";
import { NODE_PEERS_FOLDER } from "../paths.ts";
import { prepareNodePeers } from "../prepare.ts";
import { parseRoundOptions } from "../round-options.ts";
import { type Shape, shapes } from "./samples.ts";
import { type Answer, directions, type Question } from "./subject.ts";
import { type CodecRow, renderCodecTable } from "./table.ts";

const subjectFiles = new Map([
  ["tercel", join(import.meta.dirname, "subjects", "tercel.ts")],
  ["protobuf-es", join(import.meta.dirname, "subjects", "protobuf-es.ts")],
  ["protobufjs", join(NODE_PEERS_FOLDER, "protobufjs", "codec.ts")],
  ["JSON", join(import.meta.dirname, "subjects", "json.ts")],
]);

const defaults = { rounds: 5, seconds: 0.2 };

/** Exit code 0: all measured. @throws UsageError */
export async function runCodecBench(args: readonly string[]): Promise<number> {
  const { chosen: words, rounds, seconds, json } = parseRoundOptions(args, defaults, shapes);
  await prepareNodePeers();
  const chosen = words.length === 0 ? shapes : shapes.filter((shape) => words.includes(shape));
  const rows = await measureAll(chosen, rounds, seconds);
  process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : renderCodecTable(rows, [...subjectFiles.keys()]));
  return 0;
}

async function measureAll(chosen: readonly Shape[], rounds: number, seconds: number): Promise<CodecRow[]> {
  const subjects = new Map<string, ChildProcess>();
  try {
    // One after the other: each is warm before the next one starts.
    for (const [name, file] of subjectFiles) {
      const child = fork(file, { execArgv: ["--conditions=source"] });
      subjects.set(name, child);
      await answerOf(name, child);
    }
    const rows: CodecRow[] = [];
    for (const shape of chosen) {
      for (const direction of directions) rows.push(await measureRow(subjects, { shape, direction, seconds }, rounds));
    }
    return rows;
  } finally {
    for (const child of subjects.values()) child.kill();
  }
}

/** Subjects take turns, so that other load of the machine affects all of them. */
async function measureRow(
  subjects: ReadonlyMap<string, ChildProcess>,
  question: Question,
  rounds: number,
): Promise<CodecRow> {
  const taken = new Map<string, number[]>([...subjects.keys()].map((name) => [name, []]));
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    for (const [name, child] of subjects) {
      child.send(question);
      const answer = (await answerOf(name, child)) as Answer;
      taken.get(name)?.push(answer.microseconds);
      if (bytes === 0) bytes = answer.bytes;
    }
  }
  const microseconds = Object.fromEntries([...taken].map(([name, turns]) => [name, median(turns)]));
  return { name: `${question.shape} ${question.direction}`, bytes, microseconds };
}

function answerOf(name: string, child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) =>
      reject(new Error(`the codec bench's subject ${name} ended with exit code ${code}`));
    child.once("exit", onExit);
    child.once("message", (answer) => {
      child.off("exit", onExit);
      resolve(answer);
    });
  });
}
