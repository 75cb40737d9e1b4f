import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { parseDuration } from "@tercel/service/config";
import type { WimGuard } from "../client/connect.ts";
import { CatchUp, Overlap, Unreadable } from "../gen/wimguard/v1/schedule_pb.ts";
import type { CommonOptions } from "./console.ts";
import { UsageError } from "./exit-codes.ts";

/** The options of `schedule create` and `schedule update`. */
export interface ScheduleOptions extends CommonOptions {
  readonly source?: string;
  readonly destination?: string;
  readonly cron?: string;
  readonly zone?: string;
  readonly jitter?: string;
  readonly maxLateness?: string;
  readonly overlap?: string;
  /** False with `--no-catch-up`. */
  readonly catchUp?: boolean;
  readonly compression?: string;
  readonly keep?: readonly string[];
  readonly verify?: string;
  readonly drill?: string;
  readonly unreadable?: string;
}

const overlaps: Readonly<Record<string, Overlap>> = {
  skip: Overlap.SKIP,
  queue: Overlap.QUEUE,
  cancel: Overlap.CANCEL_RUNNING,
};
const unreadables: Readonly<Record<string, Unreadable>> = { skip: Unreadable.SKIP, fail: Unreadable.FAIL };
const periods = ["last", "hourly", "daily", "weekly", "monthly", "yearly"];

/** Returns the schedule fields that the options set, and their names for an update mask. */
export async function readSchedule(wim: WimGuard, options: ScheduleOptions) {
  const { cron, zone, jitter, maxLateness, overlap, catchUp, compression, keep, verify, drill, unreadable } = options;
  const fields = {
    ...(options.source !== undefined && { sourceUuid: await uuidOf(wim, "source", options.source) }),
    ...(options.destination !== undefined && {
      destinationUuid: await uuidOf(wim, "destination", options.destination),
    }),
    ...(cron !== undefined && { cron }),
    ...(zone !== undefined && { timeZone: zone }),
    ...(jitter !== undefined && { jitter: durationFromMs(durationOf("jitter", jitter)) }),
    ...(maxLateness !== undefined && { maxLateness: durationFromMs(durationOf("max-lateness", maxLateness)) }),
    ...(overlap !== undefined && { overlap: choiceOf("overlap", overlap, overlaps) }),
    ...(catchUp !== undefined && { catchUp: catchUp ? CatchUp.LATEST : CatchUp.NONE }),
    ...(compression !== undefined && { compression }),
    ...(keep !== undefined && { retention: parseRetention(keep) }),
    ...(verify !== undefined && { verifyPercent: percentOf(verify) }),
    ...(drill !== undefined && { drillCron: drill }),
    ...(unreadable !== undefined && { unreadable: choiceOf("unreadable", unreadable, unreadables) }),
  };
  const paths = Object.keys(fields).map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  return { fields, paths };
}

async function uuidOf(wim: WimGuard, noun: "source" | "destination", name: string): Promise<string> {
  const filter = `name = ${JSON.stringify(name)}`;
  const found =
    noun === "source"
      ? (await wim.registry.listSources({ filter })).sources
      : (await wim.registry.listDestinations({ filter })).destinations;
  return found[0]?.uuid ?? noSuch(noun, name);
}

export function noSuch(noun: string, name: string): never {
  throw new UsageError(`${noun} ${JSON.stringify(name)} not found`);
}

function choiceOf<Value>(option: string, text: string, choices: Readonly<Record<string, Value>>): Value {
  const chosen = Object.hasOwn(choices, text) ? choices[text] : undefined;
  if (chosen !== undefined) return chosen;
  throw new UsageError(`invalid --${option} ${text}: use ${Object.keys(choices).join(", ")}`);
}

function durationOf(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new UsageError(`invalid --${option} ${text}: use a duration, such as 10m`);
}

function percentOf(text: string): number {
  const percent = /^\d{1,3}(?:\.\d{1,3})?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (percent <= 100) return percent;
  throw new UsageError(`invalid --verify ${JSON.stringify(text)}: use a percentage, such as 5%`);
}

/** Parses retention rules such as `daily=7`; `all` alone keeps everything. */
function parseRetention(texts: readonly string[]): Record<string, number> {
  if (texts.length === 1 && texts[0] === "all") return {};
  return Object.fromEntries(
    texts.map((text) => {
      const [, period = "", count = ""] = /^([a-z]+)=(\d{1,6})$/.exec(text) ?? [];
      if (!periods.includes(period)) {
        throw new UsageError(
          `invalid --keep ${JSON.stringify(text)}: use PERIOD=COUNT, such as daily=7, with a period of ${periods.join(", ")}; or all`,
        );
      }
      return [period, Number(count)];
    }),
  );
}
