/** `npm run bench -- channel [--rounds N] [--seconds S] [--json]` measures what a channel adds to a call. See README.md. */
import { join } from "node:path";
import { median } from "../measure/statistics.ts";
import { runCommand } from "../process/command.ts";
import { LOAD_CORE, MEASURED_CORE, pinned } from "../process/pinned.ts";
import { startServer } from "../process/server-process.ts";
import { parseRoundOptions } from "../round-options.ts";
import { TERCEL } from "../subjects.ts";
import type { CallerFigures } from "./caller-figures.ts";

const defaults = { rounds: 10, seconds: 0.3 };

/** A channel makes at least this share of the calls per second of CPU time that a bare connection makes. */
const leastShare = 0.8;

/** Exit codes: 0 the channel is fast enough, 1 it is not. @throws UsageError */
export async function runChannelBench(words: readonly string[]): Promise<number> {
  const { rounds, seconds, json } = parseRoundOptions(words, defaults, []);
  const server = await startServer(TERCEL.server, LOAD_CORE);
  try {
    const program = [process.execPath, "--conditions=source", join(import.meta.dirname, "process.ts")];
    const output = await runCommand(
      pinned(MEASURED_CORE, [...program, String(server.port), String(rounds), String(seconds)]),
    );
    const measured: Record<"bare" | "channel", CallerFigures[]> = JSON.parse(output);
    // Compared within each round, because the other load of the machine changes slowly.
    const shareOf = (share: (bare: CallerFigures, channel: CallerFigures) => number): number =>
      median(measured.channel.map((channel, round) => share(measured.bare[round] as CallerFigures, channel)));
    const share = shareOf((bare, channel) => bare.micros / channel.micros);
    const rateShare = shareOf((bare, channel) => channel.rate / bare.rate);
    const figures = { ...measured, share, rateShare };
    process.stdout.write(json ? `${JSON.stringify(figures)}\n` : describe(figures));
    return share >= leastShare ? 0 : 1;
  } finally {
    await server.stop();
  }
}

function describe({
  bare,
  channel,
  share,
  rateShare,
}: {
  readonly bare: readonly CallerFigures[];
  readonly channel: readonly CallerFigures[];
  readonly share: number;
  readonly rateShare: number;
}): string {
  const shown = (rounds: readonly CallerFigures[]): string => {
    const rate = Math.round(median(rounds.map((one) => one.rate))).toLocaleString("en");
    return `${median(rounds.map((one) => one.micros)).toFixed(2)} µs of CPU per call, ${rate} calls/s`;
  };
  return `
bare connection   ${shown(bare)}
channel           ${shown(channel)}
With the same CPU time the channel makes ${Math.round(share * 100)} % of the calls (at least ${leastShare * 100} % are promised), as it runs next to its server ${Math.round(rateShare * 100)} %.
`;
}
